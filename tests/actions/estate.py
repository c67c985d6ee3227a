"""The accounts, the callers and the fixed things that the conditions of DIDs are made of."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any, Final, NamedTuple
from uuid import UUID

from harness.requirements import requirement

from didflow_chassis.decision import Caller
from didflow_contracts.accounts import is_within
from didflow_contracts.events.carrier import Endpoint, SmsDelivery
from didflow_contracts.events.purchase import Price
from didflow_contracts.ids import derived_id
from didflow_contracts.money import Money
from didflow_contracts.roles import ROLES, Role
from didflow_inventory.domain.accounts.account import Account, AccountKind
from didflow_inventory.domain.accounts.users import User
from didflow_provisioning.domain.profiles.profile import Profile
from didflow_provisioning.domain.targets.sms_trunks import SmsTrunk
from didflow_provisioning.domain.targets.voice_trunks import VoiceTrunk
from didflow_verification.domain.details.identity import Address, Identity, Person, Place
from didflow_verification.domain.requirements import CountryRules, Review

ZERO: Final = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
DAY: Final = timedelta(days=1)
DID_ID: Final = derived_id("did")
NUMBERS: Final = {"US": "+12125550136", "IE": "+35319609036"}
PRICE: Final = Price(
    setup=Money(amount="1.00", currency="EUR"), recurring=Money(amount="2.50", currency="EUR")
)

KINDS: Final[Mapping[str, AccountKind]] = {
    "master": "master_reseller",
    "master/acme": "reseller",
    "master/acme/shop": "reseller",
    "master/acme/shop/one": "enterprise",
    "master/acme/shop/two": "enterprise",
    "master/acme/firm": "enterprise",
    "master/beta": "reseller",
    "master/beta/firm": "enterprise",
    "master/beta/club": "enterprise",
    "other": "master_reseller",
    "other/firm": "enterprise",
    "other/club": "enterprise",
}
"""Two trees. Each account that is no enterprise has at least two accounts below it."""

ACCOUNTS: Final = tuple(KINDS)
ACCOUNTS_OF: Final[Mapping[Role, tuple[str, ...]]] = {
    "operator": ("master", "other"),
    "master_reseller": ("master", "other"),
    "reseller": tuple(path for path, kind in KINDS.items() if kind == "reseller"),
    "enterprise_admin": tuple(path for path, kind in KINDS.items() if kind == "enterprise"),
    "user": tuple(path for path, kind in KINDS.items() if kind == "enterprise"),
    "reviewer": ACCOUNTS,
    "service": ACCOUNTS,
}
"""The accounts in which a token can have a role."""


def random_caller(random: Random, holder: str) -> Caller:
    """Return a caller of any role: mostly at or above the holder of the DID, else at any account of the role."""
    role = random.choice(ROLES)
    accounts = ACCOUNTS_OF[role]
    if random.random() < 0.7:
        accounts = tuple(path for path in accounts if is_within(holder, path)) or accounts
    return Caller(subject="ann", account=random.choice(accounts), role=role)


def accounts_with(rules: tuple[bool, bool]) -> Mapping[tuple[type, Any], Any]:
    """Return all accounts, all of which have these rules or all of which have not."""
    allow_external_numbers, may_set_prices = rules
    return {
        (Account, path): Account(
            path=path,
            name=path,
            kind=kind,
            default_carrier="simulator",
            allow_external_numbers=allow_external_numbers,
            may_set_prices=may_set_prices,
            created_at=ZERO,
        )
        for path, kind in KINDS.items()
    }


class EndUser(NamedTuple):
    """An identity and its address in the country of a number."""

    identity: Identity
    address: Address


@cache
def end_user(name: str, account: str, country: str) -> EndUser:
    """Return an end user of an account with an address where the number is."""
    identity = Identity(
        identity_id=derived_id("identity", name, account),
        account=account,
        type="business",
        person=Person(company_name=f"{name} Ltd"),
        created_at=ZERO,
        created_by="user:ann",
    )
    city, code = {"US": ("New York", "10001"), "IE": ("Dublin", "D01 F5P2")}[country]
    place = Place(street="1 Quay Street", city=city, postal_code=code, country=country)
    address = Address(
        address_id=derived_id("address", name, account, country),
        identity_id=identity.identity_id,
        account=account,
        place=place,
        created_at=ZERO,
        created_by="user:ann",
    )
    return EndUser(identity, address)


@cache
def users_of(account: str) -> tuple[User, User]:
    """Return two SMS users of an account. An SMS user can have any number of DIDs."""
    return tuple(  # type: ignore[return-value]
        User(
            user_id=derived_id("user", account, name), account=account, name=name, kind="sms", created_at=ZERO
        )
        for name in ("ann", "bob")
    )


@cache
def trunks_of(root: str) -> tuple[VoiceTrunk, VoiceTrunk]:
    """Return two voice trunks of the root of a tree. They serve every account of the tree."""
    return tuple(  # type: ignore[return-value]
        VoiceTrunk(
            trunk_id=derived_id("trunk", root, name),
            account=root,
            name=name,
            endpoints=(Endpoint(kind="sip", address="sip:pbx.example.com"),),
            created_at=ZERO,
        )
        for name in ("first", "second")
    )


@cache
def profiles_of(root: str) -> tuple[Profile, Profile]:
    """Return two configuration profiles of the root of a tree: one with a voice trunk, one with a capacity."""
    trunk_id = trunks_of(root)[0].trunk_id
    settings: tuple[dict[str, Any], ...] = ({"voice_trunk_id": trunk_id}, {"capacity": 4})
    return tuple(  # type: ignore[return-value]
        Profile(
            profile_id=derived_id("profile", root, *setting),
            account=root,
            name="profile",
            created_at=ZERO,
            **setting,
        )
        for setting in settings
    )


@cache
def sms_trunks_of(root: str) -> tuple[SmsTrunk, SmsTrunk]:
    """Return two SMS trunks of the root of a tree. They serve every account of the tree."""
    return tuple(  # type: ignore[return-value]
        SmsTrunk(
            trunk_id=derived_id("sms trunk", root, name),
            account=root,
            name=name,
            endpoint=Endpoint(kind="email", address="sms@example.com"),
            created_at=ZERO,
        )
        for name in ("first", "second")
    )


SMS: Final = SmsDelivery(id=derived_id("sms trunk"), name="messages")


def _rules(country: str, *, required: bool) -> CountryRules:
    key = f"{country.lower()}.local.any"
    row = requirement(key=key, required=required, review=Review(manual=True))
    return CountryRules(country=country, languages=(), places={}, requirements=(row,))


RULES: Final = {
    (CountryRules, country): _rules(country, required=country == "IE") for country in ("US", "IE")
}
"""What verification asks for: nothing in the United States, and a review in Ireland."""

UUID_OF: Final[Mapping[str, UUID]] = {
    name: derived_id("command", name) for name in ("open", "failed", "activation", "retry", "next", "job")
}
"""The ids of carrier commands."""
