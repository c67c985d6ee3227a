"""Opens the services, and gives each account the same things: DIDs in several states, details, trunks, jobs."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from faults.services_in_process import raw_record
from harness.migrations import migration_of
from harness.postgres import TemplateDatabases, reader_for
from tenancy.estate import ACCOUNTS, PARENT, SUBJECT, USER, Estate, Things, scan, services
from tenancy.statement_counts import count_statements

from didflow_chassis.decision import Caller, NewJob
from didflow_chassis.jobs.job import StartJob
from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.ids import uuid7
from didflow_contracts.topics import SERVICES
from didflow_verification.domain.evaluation import numbering_plan

STATES: Final = ("", "pending_", "rejected_", "leaving_", "open_", "faulty_")
"""What the DIDs of an account are for, as prefixes of their names."""
APPROVED: Final = ("", "open_", "faulty_")
ALLOWED: Final = {"allow_external_numbers": True, "may_set_prices": True}
"""All accounts may do what some may not, so that no other refusal comes before that of tenancy."""


def webhook_secret(n: int) -> str:
    """Return the secret of the callback of an account."""
    return f"whsec_hiddenSecretOfTheCallbackOfAccount{n:02}"


def price_of(n: int) -> dict[str, str]:
    """Return the price in the price list of an account."""
    return {"amount": f"4711.{n:02}", "currency": "EUR"}


@asynccontextmanager
async def estate_on(templates: TemplateDatabases) -> AsyncIterator[Estate]:
    """Open the services on new databases, and give every account the same things."""
    numbering_plan.warm_up()
    async with AsyncExitStack() as exits:
        opened = {}
        for name, built in services().items():
            dsn = await templates.copy(name, migration_of(built))
            exits.push_async_callback(templates.drop, dsn)
            opening = ServiceOnPostgres.open(built, dsn, migrate=False, reader=reader_for(dsn))
            opened[name] = await exits.enter_async_context(opening)
        for one in opened.values():
            count_statements(one)
        estate = Estate(opened=opened)
        for path in ACCOUNTS:
            parent = {"path": path, "name": f"Account {path}", **ALLOWED}
            await estate.do("inventory", path, "operator", "/v1/accounts", parent)
        for n, path in enumerate(ACCOUNTS):
            estate.things[path] = await _numbers_and_details(estate, path, n)
        await estate.deliver()
        for step in (_assign, _review, _request, _route, _fail_a_command, _start_jobs):
            for path, things in estate.things.items():
                await step(estate, path, things)
            await estate.deliver(failing=["set_capacity"] if step is _fail_a_command else ())
        for name in SERVICES:
            await _operators_things(estate, name)
        estate.made_at = (await opened["inventory"].now()).isoformat()
        yield estate


async def _operators_things(estate: Estate, name: str) -> None:
    """Make a dead letter, and a job of those kinds that only operators start."""
    opened = estate.opened[name]
    await opened.stage.records([raw_record(b"{", "did.purchased", b"+353212999999")])
    letters = await estate.do(name, PARENT, "operator", f"/v1/{name}/dead-letters", method="GET")
    found = {f"{name}_dead_letter": letters["items"][0]["id"]}
    if name == "billing":
        found["billing_job"] = str(uuid7())
    if name == "inventory":
        caller = Caller(subject=SUBJECT, account=PARENT, role="operator")
        job_id, now = uuid7(), await opened.now()
        found["operators_job"] = str(job_id)
        job = NewJob.of(caller, job_id=job_id, kind="rebuild", now=now, parameters={})
        await opened.run(StartJob(entity_id=job_id, subject="", caller=caller, job=job))
    for things in estate.things.values():
        things.update(found)


async def _numbers_and_details(estate: Estate, path: str, n: int) -> Things:
    things: Things = {
        "account": path,
        "company": f"Secretive Bakery {n:02} Ltd",
        "street": f"{n:02} Hidden Lane",
    }
    for index, name in enumerate(STATES):
        number = f"+35321200{n:02}{index}0"
        body = purchase_body(number, path)
        bought = await estate.do(
            "inventory", path, "service", "/v1/purchases", body, headers={"Idempotency-Key": number}
        )
        things |= {f"{name}did": bought["did_id"], f"{name}number": number}
    things |= {"stock_number": f"+35321500{n:02}00", "spare_stock_number": f"+35321510{n:02}00"}
    things["held_number"] = f"+35321520{n:02}00"
    added = {"numbers": [things["stock_number"], things["spare_stock_number"], things["held_number"]]}
    await estate.do("inventory", path, "reseller", "/v1/stock", added)
    held = {"numbers": [things["held_number"]], "minutes": 1_440}
    reserved = await estate.do("inventory", path, "reseller", "/v1/reservations", held)
    things["reservation"] = reserved["reservation_id"]
    package = {"name": f"Package {n:02}", "count": 1_000}
    made = await estate.do("inventory", path, "reseller", "/v1/packages", package)
    things["package"] = made["package_id"]
    clients = f"/v1/packages/{made['package_id']}/clients"
    await estate.do("inventory", path, "reseller", clients, {"account": path})
    price = {
        "account": path,
        "country": "IE",
        "number_type": "local",
        "effective_from": "2026-01-01T00:00:00Z",
    }
    amounts = {"setup": price_of(n), "recurring": price_of(n)}
    await estate.do("billing", path, "operator", "/v1/prices", price | amounts)
    things["price"] = price_of(n)["amount"]
    things["order"] = f"order {things['number']}"
    things |= await _users_and_suppliers(estate, path, n)
    for name in ("", "spare_"):
        company = {"type": "business", "company_name": things["company"], "vat_number": "1234567T"}
        identity = await estate.do("verification", path, "reseller", "/v1/identities", company)
        things[f"{name}identity"] = identity["identity_id"]
        place = {"street": things["street"], "city": "Cork", "postal_code": "T12 X0X0", "country": "IE"}
        address = await estate.do(
            "verification",
            path,
            "reseller",
            "/v1/addresses",
            place | {"identity_id": identity["identity_id"]},
        )
        things[f"{name}address"] = address["address_id"]
        form = {"identity_id": identity["identity_id"], "type": "utility_bill"}
        document = await estate.do(
            "verification", path, "reseller", "/v1/documents", data=form, files={"file": ("a.png", scan())}
        )
        things[f"{name}document"] = document["document_id"]
    for name in ("", "spare_"):
        trunk = {"name": f"Trunk {name}of {path}", "sip": {"uri": f"sip:pbx-{n:02}.example.com:5061"}}
        made = await estate.do("provisioning", path, "reseller", "/v1/voice-trunks", trunk)
        things[f"{name}trunk"] = made["voice_trunk_id"]
        group = {"name": f"Group {name}of {path}", "channels": 50}
        made = await estate.do("provisioning", path, "reseller", "/v1/capacity-groups", group)
        things[f"{name}capacity_group"] = made["capacity_group_id"]
    for name in ("", "spare_"):
        group = {"name": f"Group {name}of {path}", "trunks": [{"voice_trunk_id": things["trunk"]}]}
        made = await estate.do("provisioning", path, "reseller", "/v1/voice-trunk-groups", group)
        things[f"{name}trunk_group"] = made["voice_trunk_group_id"]
        profile = {"name": f"Profile {name}of {path}", "capacity": 3}
        made = await estate.do("provisioning", path, "reseller", "/v1/configuration-profiles", profile)
        things[f"{name}profile"] = made["configuration_profile_id"]
        trunk = {
            "name": f"Messages {name}of {path}",
            "http": {"url": f"https://sms-{n:02}.example.com", "secret": webhook_secret(n)},
        }
        made = await estate.do("provisioning", path, "reseller", "/v1/sms-trunks", trunk)
        things[f"{name}sms_trunk"] = made["sms_trunk_id"]
    return things | {
        "endpoint": f"pbx-{n:02}.example.com",
        "sms_endpoint": f"sms-{n:02}.example.com",
        "sms_secret": webhook_secret(n),
    }


async def _users_and_suppliers(estate: Estate, path: str, n: int) -> Things:
    """Make an enterprise below an account, with a DID and two users; and a carrier and an operator."""
    firm = f"{path}/firm"
    body = {"path": firm, "name": "Firm", "kind": "enterprise", **ALLOWED}
    await estate.do("inventory", path, "operator", "/v1/accounts", body)
    found = {"firm": firm}
    for name, number in (("firm", f"+35321200{n:02}90"), ("users", f"+35321200{n:02}80")):
        body, headers = purchase_body(number, firm), {"Idempotency-Key": number}
        bought = await estate.do("inventory", path, "service", "/v1/purchases", body, headers=headers)
        found |= {f"{name}_did": bought["did_id"], f"{name}_number": number}
    carrier = await estate.do("inventory", path, "master_reseller", "/v1/carriers", {"name": f"net-{n:02}"})
    operator = await estate.do("inventory", path, "reseller", "/v1/operators", {"name": f"Telco {n:02}"})
    found |= {
        "carrier": carrier["carrier_id"],
        "carrier_name": carrier["name"],
        "operator": operator["operator_id"],
        "operator_name": operator["name"],
    }
    for name, subject in (("user", USER), ("spare_user", None)):
        user = {"account": firm, "name": f"Secretive {name} {n:02}", "kind": "sms", "subject": subject}
        made = await estate.do("inventory", path, "reseller", "/v1/users", user)
        found[name] = made["user_id"]
    given = {"dids": [found["users_did"]], "user_id": found["user"]}
    await estate.do("inventory", path, "reseller", "/v1/dids/batch/assign-user", given)
    return found


def purchase_body(number: str, account: str) -> dict[str, Any]:
    """Return the body of a purchase of a number that needs a registration."""
    money = {"amount": "2.50", "currency": "EUR"}
    return {
        "number": number,
        "account": account,
        "number_type": "local",
        "features": ["voice_in", "sms_in", "emergency"],
        "order_id": f"order {number}",
        "end_user_type": "business",
        "billing_period": 1,
        "price": {"setup": money, "recurring": money},
    }


async def _assign(estate: Estate, path: str, things: Things) -> None:
    details_of = dict.fromkeys(APPROVED, "") | {"pending_": "spare_", "rejected_": "spare_"}
    for name, details in details_of.items():
        body = {
            "dids": [things[f"{name}did"]],
            "identity_id": things[f"{details}identity"],
            "address_id": things[f"{details}address"],
            "document_ids": [things[f"{details}document"]],
        }
        await estate.do("inventory", path, "reseller", "/v1/dids/batch/assign-end-user", body)


async def _review(estate: Estate, path: str, things: Things) -> None:
    for name in (*APPROVED, "pending_", "rejected_"):
        did = things[f"{name}did"]
        found = await estate.do(
            "verification", path, "reviewer", f"/v1/verifications?did_id={did}", method="GET"
        )
        things[f"{name}verification"] = found["items"][0]["verification_id"]
        things[f"{name}reference"] = found["items"][0]["reference"]
    named = [things[f"{name}verification"] for name in APPROVED]
    every = {"verifications": named}
    await estate.do("verification", path, "reviewer", "/v1/verifications/batch/approve", every)
    reject = f"/v1/verifications/{things['rejected_verification']}"
    reasons = {"reasons": [{"code": "mismatch"}]}
    await estate.do("verification", path, "reviewer", f"{reject}/reject", reasons)


async def _request(estate: Estate, path: str, things: Things) -> None:
    asked = {"service": "emergency", "address_id": things["address"], "caller_name": "Bakery"}
    for name in ("", "faulty_"):
        body = asked | {"did": things[f"{name}did"]}
        made = await estate.do("verification", path, "reseller", "/v1/service-requests", body)
        things[f"{name}request"] = made["request_id"]
    decide = f"/v1/service-requests/{things['faulty_request']}/decide"
    faulty = {"state": "changes_required", "reasons": [{"code": "mismatch"}]}
    for decision in ({"state": "in_process"}, faulty):
        await estate.do("verification", path, "reviewer", decide, decision)


async def _route(estate: Estate, path: str, things: Things) -> None:
    body = {"dids": [things["did"]], "voice_trunk_id": things["trunk"]}
    await estate.do("provisioning", path, "reseller", "/v1/routing/batch/set-voice", body)


async def _fail_a_command(estate: Estate, path: str, things: Things) -> None:
    body = {"dids": [things["did"]], "capacity": 3}
    await estate.do("provisioning", path, "reseller", "/v1/routing/batch/set-capacity", body)


async def _start_jobs(estate: Estate, path: str, things: Things) -> None:
    did = things["did"]
    failed = await estate.do(
        "provisioning", path, "reseller", f"/v1/commands?did={did}&state=failed", method="GET"
    )
    things["command"] = failed["items"][0]["command_id"]
    replace = f"/v1/voice-trunks/{things['trunk']}/replace"
    job = await estate.do("provisioning", path, "reseller", replace, {"by": things["spare_trunk"]})
    things["provisioning_job"] = job["job_id"]
    many = {"numbers": "0000-1000", "prefix": f"{things['stock_number'][:8]}"}
    job = await estate.do("inventory", path, "reseller", "/v1/stock", many)
    things["inventory_job"] = job["job_id"]
    change = {"contact_email": "office@bakery.example"}
    identity = f"/v1/identities/{things['identity']}"
    await estate.do("verification", path, "reseller", identity, change, method="PATCH")
    jobs = await estate.do("verification", path, "reseller", "/v1/verification/jobs", method="GET")
    things["verification_job"] = jobs["items"][0]["job_id"]
