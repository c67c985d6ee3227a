"""A day of a reseller over HTTP alone: 500 numbers, from their upload to the deletion of what is left of them.

Start a stack without the numbers of an earlier day, and run the script beside it:

    make up ARGS=--fresh
    .venv/bin/python examples/day.py

Each step prints what came of it. The first answer that is not as the step expects ends the script with exit code 1.
`didflow token` makes the tokens of the callers. Everything else goes over HTTP.
"""

import argparse
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

PREFIX = "+1212555"
RESELLER, NORTH, SOUTH = "master/acme", "master/acme/north", "master/acme/south"
WAIT_S = 60


@dataclass(kw_only=True)
class Caller:
    """Somebody with a token."""

    http: httpx.Client
    token: str

    def get(self, path: str, /, **query: Any) -> Any:
        """Return the answer to a GET."""
        return self._send("GET", path, params=query).json()

    def items(self, path: str, /, **query: Any) -> list[Any]:
        """Return up to 1,000 items of a list."""
        found: list[Any] = self.get(path, limit=1000, **query)["items"]
        return found

    def post(self, path: str, /, **body: Any) -> Any:
        """Return the answer to a POST. A retry with the same key would have no second effect."""
        return self._send("POST", path, json=body, headers={"Idempotency-Key": str(uuid4())}).json()

    def results(self, path: str, /, **body: Any) -> Counter[str]:
        """Count the results of a batch: `done`, `unchanged`, or the code of the refusal."""
        return Counter(each["code"] or each["outcome"] for each in self.post(path, **body)["results"])

    def run_job(self, path: str) -> None:
        """Start a job, and wait until it is done. The answer says where it is."""
        job = self._send("POST", path).headers["Location"]
        wait_until(lambda: self.get(job)["state"] == "done", f"the end of {job}")

    def _send(
        self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        named = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        answer = self.http.request(method, path, headers=named, **more)
        check(answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}")
        return answer


def check(is_as_expected: bool, found: object) -> None:
    """End the script if something is not as expected."""
    if not is_as_expected:
        sys.exit(f"Not as expected: {found}")


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Wait for what other services or a job must do first."""
    end = time.monotonic() + WAIT_S
    while not is_so():
        check(time.monotonic() < end, f"no {what} within {WAIT_S} s")
        time.sleep(0.5)


def numbers(first: int, last: int) -> list[str]:
    """Return the numbers with these last four digits."""
    return [f"{PREFIX}{n}" for n in range(first, last + 1)]


@dataclass(kw_only=True)
class Day:
    """The callers of the day: a reseller, its master reseller, and the administrators of its two enterprises."""

    master: Caller
    reseller: Caller
    token: Callable[[str, str], Caller]

    def upload(self) -> None:
        """The reseller adds two ranges to its stock. They have no price and are not DIDs yet."""
        ranges = {"numbers": ["2000-2299", "3000-3199"], "prefix": PREFIX}
        added = self.reseller.results("/v1/stock", **ranges, number_type="local", features=["voice_out"])
        if added["done"] != 500:
            sys.exit(
                f"The numbers of an earlier day are there: {dict(added)}. Start with `make up ARGS=--fresh`."
            )
        print("The reseller adds 500 numbers by two ranges.")

    def hand_out(self) -> None:
        """Each enterprise gets 150 numbers. They are DIDs from now on, and the carrier activates them."""
        for account, first in ((NORTH, 2000), (SOUTH, 2150)):
            self.reseller.post("/v1/accounts", path=account, name=account, kind="enterprise")
            given = self.reseller.results(
                "/v1/stock/batch/hand-out", numbers=numbers(first, first + 149), account=account
            )
            check(given == {"done": 150}, given)
        self.north, self.south = (self.token("enterprise_admin", account) for account in (NORTH, SOUTH))
        for admin in (self.north, self.south):
            wait_until(lambda admin=admin: is_summary(admin, all=150, active=150), "150 active numbers")
        print("Two enterprises get 150 each. Each administrator sees its own 150, all active.")

    def give_to_users(self) -> None:
        """A desk phone gets one number, a team that sends messages gets five."""
        desk = self.north.post("/v1/users", name="Desk", kind="pbx", default_did=numbers(2000, 2000)[0])
        team = self.north.post("/v1/users", name="Team", kind="sms")
        given = self.north.results(
            "/v1/dids/batch/assign-user", dids=numbers(2001, 2005), user_id=team["user_id"]
        )
        check(given == {"done": 5}, given)
        users = Counter(did["user"] for did in self.north.items("/v1/dids"))
        check(users == {desk["user_id"]: 1, team["user_id"]: 5, None: 144}, users)
        print("In the north, a desk phone gets 1 number and a team 5.")

    def sell_a_package(self) -> None:
        """The south picks 50 more under a package: 10 by name and 40 by count. Then it has all that it may have."""
        tagged = self.reseller.results("/v1/stock/batch/edit", numbers=numbers(3000, 3099), tag="fifty")
        check(tagged == {"done": 100}, tagged)
        selection = {"country": "US", "tag": "fifty"}
        package = self.reseller.post("/v1/packages", name="Fifty", count=50, selection=selection)
        self.package = f"/v1/packages/{package['package_id']}"
        self.reseller.post(f"{self.package}/clients", account=SOUTH)
        check(len(self.south.items(f"{self.package}/numbers")) == 100, "the numbers of the package")

        named = self.south.results(f"{self.package}/picks", numbers=numbers(3000, 3009))
        counted = self.south.results(f"{self.package}/picks", count=40)
        check(named == {"done": 10} and counted == {"done": 40}, (named, counted))
        too_many = self.south.results(f"{self.package}/picks", count=1)
        check(too_many == {"package_full": 1}, too_many)
        wait_until(lambda: is_summary(self.south, all=200, active=200), "200 active numbers")
        print("The south picks 50 numbers of a package, 10 by name and 40 by count. One more is refused.")

    def switch_the_package_off_and_on(self) -> None:
        """While the package is not active, its numbers are on hold and take no calls. Then they are back."""
        self.reseller.run_job(f"{self.package}/deactivate")
        wait_until(lambda: carrier_states(self.south) == {"active": 150, "suspended": 50}, "suspension")
        held = self.south.items("/v1/dids", status="hold")
        steps = {(did["status_label"], did["next_step"]["action"], did["next_step"]["who"]) for did in held}
        check(len(held) == 50 and steps == {("Hold", "reactivate_package", "reseller")}, steps)
        picked = self.south.results(f"{self.package}/picks", count=1)
        check(picked == {"package_inactive": 1}, picked)
        self.reseller.run_job(f"{self.package}/activate")
        wait_until(lambda: is_summary(self.south, all=200, active=200), "200 active numbers")
        check(carrier_states(self.south) == {"active": 200}, "the numbers take calls again")
        self.held = held[0]
        print("Its package is switched off: 50 numbers are on hold. Switched on again: all are active.")

    def search_and_edit(self) -> None:
        """A search by a part of the number, an edit of what it found, and a search by the new tag."""
        found = self.north.post("/v1/dids/search", number_contains="55520", limit=1000)["items"]
        check([did["number"] for did in found] == numbers(2000, 2099), len(found))
        edited = self.north.results(
            "/v1/dids/batch/edit", dids=numbers(2001, 2003), add_tags=["vip"], description="Main line"
        )
        check(edited == {"done": 3}, edited)
        tagged = self.north.post("/v1/dids/search", tag="vip", description="main")["items"]
        check([did["number"] for did in tagged] == numbers(2001, 2003), tagged)
        print("A search finds 100 numbers of the north; 3 of them get a tag, and are found by it.")

    def take_back(self) -> None:
        """What a user has is not taken back. The others return to the stock, and the carrier keeps them for us."""
        refused = self.reseller.results("/v1/dids/batch/take-back", dids=numbers(2000, 2005))
        check(refused == {"in_use": 6}, refused)
        taken = self.reseller.results("/v1/dids/batch/take-back", dids=numbers(2140, 2149))
        check(taken == {"done": 10}, taken)
        check(self.north.get("/v1/dids/summary")["all"] == 140, "140 numbers are left in the north")
        print("10 numbers come back from the north. The 6 that users have are refused.")

    def delete_what_is_left(self) -> None:
        """Only the account that uploaded a number deletes it, and only in stock."""
        left = [item["number"] for item in self.reseller.items("/v1/stock")]
        check(len(left) == 160, len(left))
        by_master = self.master.results("/v1/stock/batch/delete", numbers=left)
        check(by_master == {"not_uploader": 160}, by_master)
        given = self.reseller.results("/v1/stock/batch/delete", numbers=numbers(2000, 2139))
        check(given == {"in_use": 140}, given)
        deleted = self.reseller.results("/v1/stock/batch/delete", numbers=left)
        check(deleted == {"done": 160}, deleted)
        check(self.reseller.items("/v1/stock") == [], "the stock is empty")
        check(self.reseller.get("/v1/dids/summary")["all"] == 340, "340 numbers are in use")
        print("The 160 that are left are deleted by the reseller, which uploaded them, and by nobody else.")

    def read_the_history(self) -> None:
        """Everything that happened is in the history: of a DID, and of a number that is not there any more."""
        life = [entry["type"] for entry in self.south.items(f"/v1/dids/{self.held['did_id']}/history")]
        steps = [name for name in life if name.startswith(("http.", "job."))]
        check(steps == ["http.pick", "job.follow_package", "job.follow_package"], life)
        stock = self.reseller.items(f"/v1/stock/{PREFIX}2149/history")
        told = [(entry["type"], entry["code"]) for entry in stock if entry["type"].startswith("http.")]
        check(told[-2:] == [("http.delete_number", "not_uploader"), ("http.delete_number", None)], told)
        check([name for name, _ in told[:-2]] == ["http.add_number", "http.hand_out", "http.take_back"], told)
        check(self.reseller.items("/v1/ledger") == [], "nothing was charged")
        print(f"The history of {self.held['number']} has {len(life)} entries. Nothing was charged.")


def is_summary(caller: Caller, **counts: int) -> bool:
    """Return True if My Numbers has these counts and no other."""
    return bool(caller.get("/v1/dids/summary") == counts)


def carrier_states(caller: Caller) -> Counter[str]:
    """Count the numbers by the state at their carrier."""
    return Counter(did["routing"]["carrier_state"] for did in caller.items("/v1/dids"))


def main() -> None:
    """Run the day."""
    arguments = argparse.ArgumentParser(description="A day of a reseller, on a stack of `didflow up`.")
    arguments.add_argument("--http", default="http://127.0.0.1:8080", help="the address that `up` prints")
    arguments.add_argument("--data", help="the data folder of the stack, if it is not the default one")
    given = arguments.parse_args()
    folder = ["--data", given.data] if given.data else []
    didflow = Path(sys.executable).parent / "didflow"

    with httpx.Client(base_url=given.http, timeout=30, trust_env=False) as http:

        def caller(role: str, account: str) -> Caller:
            command = [didflow, "token", "--role", role, "--account", account, *folder]
            made = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
            check(made.returncode == 0, "no token. Does the stack run?")
            return Caller(http=http, token=made.stdout.strip())

        day = Day(
            master=caller("master_reseller", "master"), reseller=caller("reseller", RESELLER), token=caller
        )
        day.upload()
        day.hand_out()
        day.give_to_users()
        day.sell_a_package()
        day.switch_the_package_off_and_on()
        day.search_and_edit()
        day.take_back()
        day.delete_what_is_left()
        day.read_the_history()
        print("The day is over.")


if __name__ == "__main__":
    main()
