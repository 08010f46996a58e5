"""Harbor & Finch, a company that never was: four years of a supplier of coffee equipment, as its systems export them.

    python examples/company.py FOLDER [--seed N] [--calm]

Customers buy until they leave (gamma rates and hazards, gamma-gamma spend), leads convert or are given up, deals are
won or lost, tickets are solved or still open. Four truths are planted in it, strong enough to be found; the calm
company is the same one without them, so that whatever an audit finds there is noise. README.md names them.

The same seed gives the same bytes: only the frozen `numpy.random.RandomState` is drawn from.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np

SEED = 59
START = date(2022, 7, 1)
END = date(2026, 6, 30)
LAST = (END - START).days
YEAR = 365.25

# --- The planted truths. Times are days since START.
COMPETITOR = "competitor"
RISING = "Globex"
RISING_ODDS = (0.30, 0.12, 0.06)
"""Our odds against him in the last three quarters, as a multiple of what they were."""
RISING_QUARTERS = ((date(2025, 10, 1) - START).days, (date(2026, 1, 1) - START).days, (date(2026, 4, 1) - START).days)

ORIGIN = "origin"
SLOW_ORIGIN = "Trade fair"
SLOW_FACTOR = 3.0
"""Its leads take thrice as long from qualified to won or lost, and are won as often in the end."""

CATEGORY = "category"
HARMFUL_CATEGORY = "Spare parts"
HARMFUL_FACTOR = 4.0
HARMFUL_DAYS = 90.0
"""For so long after such a ticket the hazard of leaving is multiplied."""

RHYTHM = "rhythm"
SLOWING_SEGMENT = "Restaurants"
SLOWING_FACTOR = 1.6
SLOWING_FROM = (date(2025, 7, 1) - START).days
"""From that day the segment's customers wait so much longer between purchases."""

TRUTHS = frozenset({COMPETITOR, ORIGIN, CATEGORY, RHYTHM})

# --- The process.
# Both arrive from long before START on, so that the exports begin in the middle of the company's life.
LEADS_A_YEAR, LEADS_FROM = 1000.0, -420.0
OLD_CUSTOMERS_A_YEAR, OLD_CUSTOMERS_FROM = 92.0, -16 * YEAR
P_QUALIFIED, P_OPPORTUNITY, P_NEW_WON, P_EXPANSION_WON = 0.54, 0.70, 0.235, 0.45
RATE_SHAPE, RATE_MEAN = 2.5, 11.0 / YEAR
LEAVING_SHAPE, LEAVING_MEAN = 4.0, 0.36 / YEAR
SPEND_P, SPEND_Q, SPEND_MEAN = 6.0, 4.0, 620.0
EXPANSION_RATE = 1.5 / YEAR
TICKET_SHAPE, TICKET_MEAN = 4.0, 3.0 / YEAR
SERVICE_AFTER_LEAVING = 45.0
"""Who has left still has machines under service for a while, so that a ticket is no proof of staying."""

SEGMENTS = {"Restaurants": 0.27, "Cafes": 0.28, "Hotels": 0.14, "Offices": 0.20, "Retail": 0.11}
INDUSTRIES = {
    "Restaurants": ("Food service", "Catering"),
    "Cafes": ("Food service", "Bakery"),
    "Hotels": ("Hospitality", "Leisure"),
    "Offices": ("Professional services", "Health care", "Education"),
    "Retail": ("Food retail", "Home goods"),
}
KINDS = {
    "Restaurants": ("Kitchen", "Grill", "Bistro"),
    "Cafes": ("Café", "Coffee House", "Bakery"),
    "Hotels": ("Hotel", "Inn", "Lodge"),
    "Offices": ("Partners", "Clinic", "Academy"),
    "Retail": ("Market", "Stores", "Delicatessen"),
}
REGIONS = {"Northeast": 0.3, "Midwest": 0.25, "South": 0.25, "West": 0.2}
ORIGINS = {
    "Web site": 0.27,
    "Trade fair": 0.22,
    "Referral": 0.18,
    "Cold call": 0.13,
    "Partner": 0.11,
    "Newsletter": 0.09,
}
ORIGIN_LOGIT = {"Referral": 0.12, "Partner": 0.08, "Cold call": -0.12}
COMPETITORS = {"Globex": 0.25, "Initech": 0.21, "Umbrella": 0.20, "Stark": 0.19, "": 0.15}
LOSS_REASONS = {"Price": 0.32, "Competitor": 0.24, "No budget": 0.14, "Timing": 0.12, "No decision": 0.09, "": 0.09}
OWNERS = (
    "Ada Brandt",
    "Ben Okafor",
    "Carla Reyes",
    "Dmitri Novak",
    "Elin Holm",
    "Farid Haddad",
    "Grace Liu",
    "Hugo Meyer",
)
OWNER_LOGIT = (0.10, -0.08, 0.05, 0.0, -0.10, 0.08, -0.05, 0.0)
CATEGORIES = {
    "Machine fault": 0.24,
    "Delivery": 0.20,
    "Billing question": 0.19,
    "Spare parts": 0.18,
    "Installation": 0.11,
    "Training": 0.08,
}
SUBJECTS = {
    "Machine fault": ("Machine does not heat", "Grinder blocked", "Leaking group head"),
    "Delivery": ("Delivery is late", "Wrong item delivered", "Change of delivery address"),
    "Billing question": ("Question about an invoice", "Copy of invoice needed", "Purchase order number missing"),
    "Spare parts": ("Spare part still missing", "Gasket set out of stock", "Waiting for pump"),
    "Installation": ("Appointment for installation", "Water connection does not fit"),
    "Training": ("Training for new staff", "How to clean the grinder"),
}
PRIORITIES = {"Low": 0.2, "Normal": 0.5, "High": 0.22, "Urgent": 0.08}
RESOLUTION_HOURS = {"Low": 70.0, "Normal": 34.0, "High": 14.0, "Urgent": 5.0}
RESPONSE_HOURS = {"Low": 6.0, "Normal": 3.0, "High": 1.2, "Urgent": 0.4}
FAMILIES = {
    "Espresso machine": ("Duo 1", "Duo 2", "Duo 3", "Solo", "Solo Plus", "Bar 2", "Bar 3", "Mobile"),
    "Grinder": ("G40", "G60", "G80", "G100", "On Demand", "Filter", "Hand", "Twin"),
    "Brewer": ("B1", "B2", "B3", "Batch", "Batch Twin", "Thermo"),
    "Beans": (
        "House",
        "Harbor Dark",
        "Finch Light",
        "Decaf",
        "Ethiopia",
        "Colombia",
        "Brazil",
        "Sumatra",
        "Organic",
        "Seasonal",
    ),
    "Water filter": ("S", "M", "L", "XL", "Cartridge", "Test kit"),
    "Accessories": ("Tamper", "Jugs", "Cups", "Cleaner", "Descaler", "Brushes"),
    "Service plan": ("Basic", "Standard", "Plus", "Full", "Fleet", "Rental"),
}
EQUIPMENT = ("Espresso machine", "Grinder", "Brewer", "Service plan")
SUPPLIES = ("Beans", "Water filter", "Accessories")


def words(text: str) -> list[str]:
    return text.split()


FIRST_NAMES = words("""
    Alma Anton Bea Boris Cora Cyril Dana Dario Edda Emil Fay Felix Gina Goran Hana Henrik Ines Ivo Jana Jonas
    Kira Karl Lena Lars Mara Milan Nora Nils Olga Oscar Pia Paul Rosa Rafael Sara Simon Tess Theo Uma Ugo Vera
    Viktor Wanda Walter Yara Yann Zoe
""")
LAST_NAMES = words("""
    Abel Arden Bauer Birch Castell Conti Dahl Duval Eder Engel Faber Ferro Garner Grove Hale Hansen Ibsen
    Iverson Jansen Jura Keller Kovac Lindt Lopez Marsh Moreau Nagel Noble Olsen Orsini Palmer Petrov Quist Quinn
    Rossi Ruiz Sandoval Silva Tanner Toth Unger Usher Vance Vogel Walsh Weber Yates York Zabel Zeller
""")
NAME_STARTS = words("""
    Amber Anchor Arbor Aspen Autumn Bramble Brass Bright Canal Cedar Cinder Citrus Cobalt Copper Coral Corner
    Crescent Crimson Crystal Dapple Dawn Delta Dusty Eastern Ebony Echo Elder Emerald Evening Fable Fern Field
    Flint Foggy Forest Foundry Garden Gilded Golden Granite Gravel Green Grove Hazel Heather Hidden High Hollow
    Indigo Iron Ivory Jade Jasmine Juniper Lantern Laurel Lemon Linden Little Lofty Lunar Maple Marble Meadow
    Mellow Midnight Mill Misty Morning Mossy Noble North Oaken Ocean Olive Opal Orchard Pearl Pepper Pine Plain
    Plum Prairie Quartz Quiet Rowan Rustic Saffron Silver
""")
NAME_ENDS = words("""
    Acorn Alder Arrow Badger Barrel Basin Beacon Bell Bench Bluff Bridge Brook Cabin Candle Canyon Castle Chapel
    Clover Cove Crane Creek Crown Dove Drum Falcon Feather Ferry Finch Fountain Fox Gate Glen Hare Harvest Haven
    Hearth Heron Hill Horizon Island Jetty Kettle Key Lake Lark Ledge Lily Loft Lynx Magpie Mason Mast Mirror
    Moon Nest Otter Owl Path Pebble Pier Pilot Plaza Pond Porch Quarry Raven Reef Ridge River Robin Sail Saddle
    Shell Spire Spring Stag Station Stone Sundial Swan Table
""")
COST_SHARES = {
    "Espresso machine": 0.68,
    "Grinder": 0.64,
    "Brewer": 0.62,
    "Beans": 0.55,
    "Water filter": 0.42,
    "Accessories": 0.50,
    "Service plan": 0.35,
}
"""What was sold cost us so much of its net amount."""
JOB_TITLES = {
    "Owner": "Decision maker",
    "General Manager": "Decision maker",
    "Purchasing": "Influencer",
    "Head Barista": "Influencer",
    "Office Manager": "User",
    "Accounts Payable": "User",
}


CALLS_A_YEAR, TALKS_FROM = 8.0, LAST - 450
"""How often we talk with a customer, and the day the CRM began to keep it."""
TALK_KINDS = {"Call": 0.5, "Meeting": 0.2, "Email": 0.22, "Note": 0.08}
TALK_OUTCOMES = {
    "Call": {"Reached": 0.62, "No answer": 0.24, "Left voicemail": 0.14},
    "Meeting": {"Held": 0.9, "Cancelled": 0.1},
    "Email": {"Answered": 0.5, "Sent": 0.5},
}
REMARKS = ("asked for a second grinder", "wants a visit in spring", "new kitchen planned", "unhappy about the delay")
PERSONAL_NOTES = ("plays the cello", "runs marathons", "twins at school", "met at the fair", "collects stamps")
CAMPAIGNS = {
    "Guide to water quality": (date(2025, 9, 16) - START).days,
    "Autumn offer": (date(2025, 11, 11) - START).days,
    "Grinder tips": (date(2026, 2, 10) - START).days,
    "Summer sale": (date(2026, 5, 19) - START).days,
}
ANSWERS = {"10": 0.24, "9": 0.22, "8": 0.2, "7": 0.12, "6": 0.08, "5": 0.06, "3": 0.05, "1": 0.03}
COMMENTS = ("the beans arrive fresh", "nobody calls back", "good people", "parts take too long", "fair prices")
RENTERS_A_YEAR, RENTERS_FROM, RENTER_LEAVING_MEAN = 16.0, -500.0, 0.2 / YEAR
"""Businesses that rent their machine by the month or year and buy nothing: the only ones under contract."""
RENTS = {"Solo": 8900, "Duo": 14900, "Bar": 23900, "Fleet": 39900}
"""Cents a month by plan; a year is paid for with ten months."""
RENTAL_PLANS = {"Solo": 0.4, "Duo": 0.35, "Bar": 0.2, "Fleet": 0.05}
PLAN_CHANGES_A_YEAR, P_UPGRADE = 0.22, 0.7
P_TRIAL, P_TRIAL_KEPT, TRIAL_DAYS = 0.4, 0.75, 30
P_ANNUAL, P_RETURNS, P_PAST_DUE = 0.35, 0.2, 0.05
CANCEL_REASONS = {"Business closed": 0.2, "Too expensive": 0.25, "Bought a machine": 0.2, "Service": 0.2, "": 0.15}
COST_PER_LEAD = {
    "Web site": 45.0,
    "Trade fair": 120.0,
    "Referral": 15.0,
    "Cold call": 60.0,
    "Partner": 50.0,
    "Newsletter": 20.0,
}


class Draws:
    """Random numbers of one part of the company, so that a change elsewhere does not move them."""

    def __init__(self, seed: int, *part: int) -> None:
        self._state = np.random.RandomState([seed, *part])

    def uniform(self) -> float:
        return float(self._state.random_sample())

    def chance(self, p: float) -> bool:
        return self.uniform() < p

    def exponential(self) -> float:
        return float(self._state.standard_exponential())

    def gamma(self, shape: float, mean: float) -> float:
        return float(self._state.standard_gamma(shape)) * mean / shape

    def lognormal(self, median: float, sigma: float) -> float:
        return median * math.exp(sigma * float(self._state.standard_normal()))

    def normal(self) -> float:
        return float(self._state.standard_normal())

    def one_of(self, items: Sequence[str]) -> str:
        return items[int(self.uniform() * len(items))]

    def weighted(self, shares: dict[str, float]) -> str:
        """A key, with the probability that is its value."""
        left = self.uniform()
        for item, share in shares.items():
            left -= share
            if left < 0:
                return item
        return item

    def times(self, rate: float, after: float, until: float) -> list[float]:
        """The events of a Poisson process."""
        found, now = [], after + self.exponential() / rate
        while now < until:
            found.append(now)
            now += self.exponential() / rate
        return found

    def order(self, n: int) -> list[int]:
        return [int(i) for i in np.argsort(self._state.random_sample(n), kind="stable")]


def exported(day: float) -> bool:
    """Whether what happened that day is in the exports."""
    return 0 <= day < LAST + 1


OLD, ARRIVALS, NAMES, LEADS, DEALS, LIVES, CRM, BILLING, DESK, TALKS, MAILS, RENTALS = range(12)
"""The parts that draw for themselves."""


@dataclass(eq=False)
class Person:
    first: str
    last: str
    email: str


@dataclass(eq=False)
class Business:
    """A company that may buy. `size` is what it spends per order in the mean; `first` the day of its first purchase."""

    name: str
    domain: str
    segment: str
    industry: str
    region: str
    origin: str
    owner: int
    size: float
    people: list[Person]
    known: float = math.inf
    first: float = math.inf
    account_id: str = ""
    customer_id: str = ""


@dataclass(eq=False)
class Deal:
    """A deal that closes on day `closed`; past the end of the exports it is still open."""

    business: Business
    kind: str
    created: float
    closed: float
    competitor: str
    amount: float
    won: bool
    product: str
    opportunity_id: str = ""


@dataclass(eq=False)
class Lead:
    business: Business
    created: float
    qualified: float = math.inf
    given_up: float = math.inf
    deal: Deal | None = None
    lead_id: str = ""


@dataclass(eq=False)
class Ticket:
    opened: float
    category: str


@dataclass(eq=False)
class Life:
    """What one customer did, and when it left."""

    business: Business
    left: float
    tickets: list[Ticket]
    purchases: list[tuple[float, float, str]] = field(default_factory=list)
    """Day, net amount and product."""
    deals: list[Deal] = field(default_factory=list)


@dataclass(eq=False)
class Rental:
    """One subscription, paid from `began` (a trial may come before it) until `ended`.

    `moves` are day, kind and cents a month.
    """

    life: Life
    is_annual: bool
    signed: float
    began: float
    plan: str
    ended: float = math.inf
    is_paused: bool = False
    moves: list[tuple[float, str, int]] = field(default_factory=list)

    @property
    def term(self) -> float:
        return YEAR if self.is_annual else YEAR / 12

    @property
    def cents(self) -> int:
        """What the present plan costs in a term."""
        return RENTS[self.plan] * (10 if self.is_annual else 1)

    @property
    def cents_a_month(self) -> int:
        return round(self.cents / 12) if self.is_annual else self.cents


def businesses(seed: int, n: int) -> list[Business]:
    draws = Draws(seed, NAMES)
    found = []
    for combination in draws.order(len(NAME_STARTS) * len(NAME_ENDS))[:n]:
        start, end = NAME_STARTS[combination // len(NAME_ENDS)], NAME_ENDS[combination % len(NAME_ENDS)]
        segment = draws.weighted(SEGMENTS)
        domain = f"{start}{end}.example".lower()
        found.append(
            Business(
                name=f"{start} {end} {draws.one_of(KINDS[segment])}",
                domain=domain,
                segment=segment,
                industry=draws.one_of(INDUSTRIES[segment]),
                region=draws.weighted(REGIONS),
                origin=draws.weighted(ORIGINS),
                owner=int(draws.uniform() * len(OWNERS)),
                size=SPEND_MEAN * (SPEND_Q - 1) / (draws.gamma(SPEND_Q, SPEND_Q)),
                people=[person(draws, domain) for _ in range(1 + sum(draws.chance(0.3) for _ in range(3)))],
            )
        )
    return found


def person(draws: Draws, domain: str) -> Person:
    first, last = draws.one_of(FIRST_NAMES), draws.one_of(LAST_NAMES)
    place = draws.one_of(("gmail.com", "outlook.com", "yahoo.com"))
    free = draws.chance(0.05)
    local = f"{first}.{last}.{domain.removesuffix('.example')}" if free else f"{first}.{last}"
    return Person(first, last, f"{local}@{place if free else domain}".lower())


def product(draws: Draws, families: Sequence[str]) -> str:
    family = draws.one_of(families)
    return f"{family} {draws.one_of(FAMILIES[family])}"


def deal(
    draws: Draws, business: Business, kind: str, created: float, closed: float, *, planted: frozenset[str]
) -> Deal:
    """A deal with its outcome, which hangs on owner, origin and, where that is planted, on the rising competitor."""
    competitor = draws.weighted(COMPETITORS)
    amount = business.size * 2.5 * draws.lognormal(1.0, 0.35)
    item = product(draws, EQUIPMENT)
    p = P_NEW_WON if kind == "New business" else P_EXPANSION_WON
    odds = p / (1 - p) * math.exp(OWNER_LOGIT[business.owner] + ORIGIN_LOGIT.get(business.origin, 0.0))
    if COMPETITOR in planted and competitor == RISING:
        passed = sum(closed >= day for day in RISING_QUARTERS)
        odds *= RISING_ODDS[passed - 1] if passed else 1.0
    return Deal(business, kind, created, closed, competitor, amount, draws.chance(odds / (1 + odds)), item)


def leads(seed: int, companies: Sequence[Business], days: Sequence[float], planted: frozenset[str]) -> list[Lead]:
    """The leads that come on those days, one from each company.

    All that a lead might need is drawn, whatever becomes of it: the calm company stays in step with the other.
    """
    draws, dealing = Draws(seed, LEADS), Draws(seed, DEALS)
    found = []
    for created, business in zip(days, companies, strict=True):
        slow = SLOW_FACTOR if ORIGIN in planted and business.origin == SLOW_ORIGIN else 1.0
        lead = Lead(business, created)
        qualifies, gets_deal, is_given_up = (draws.chance(p) for p in (P_QUALIFIED, P_OPPORTUNITY, 0.82))
        to_qualified, to_no = draws.lognormal(6, 0.8), draws.lognormal(25, 0.8)
        to_deal, to_late_no, to_close = draws.lognormal(8, 0.6), draws.lognormal(50, 0.7), draws.lognormal(36, 0.55)
        to_invoice = draws.lognormal(3, 0.6)
        if qualifies:
            lead.qualified = created + to_qualified
        opened = created + to_qualified + slow * to_deal
        outcome = deal(dealing, business, "New business", opened, opened + slow * to_close, planted=planted)
        if qualifies and gets_deal:
            lead.deal, business.known = outcome, outcome.created
            if outcome.won and outcome.closed >= 0:
                business.first = outcome.closed + to_invoice
        elif is_given_up:
            lead.given_up = created + (to_qualified + slow * to_late_no if qualifies else to_no)
        found.append(lead)
    return found


def leaving_day(tickets: list[Ticket], first: float, hazard: float, threshold: float, planted: frozenset[str]) -> float:
    """The day on which the hazard, summed from `first`, passes `threshold`; raised for a while after some tickets."""
    harmful = [t.opened for t in tickets if CATEGORY in planted and t.category == HARMFUL_CATEGORY]
    turns = sorted({first, *harmful, *(day + HARMFUL_DAYS for day in harmful)})
    for now, then in pairwise([*turns, math.inf]):
        raised = any(day <= now < day + HARMFUL_DAYS for day in harmful)
        here = hazard * (HARMFUL_FACTOR if raised else 1.0)
        if threshold < here * (then - now):
            return now + threshold / here
        threshold -= here * (then - now)
    raise AssertionError("the last stretch has no end")


def life(draws: Draws, business: Business, bought: Deal | None, planted: frozenset[str]) -> Life:
    """What a customer does from its first purchase until it leaves, or the exports end.

    Purchases and expansions of the time before START are not drawn: a Poisson process does not remember them.
    """
    first = business.first
    rate, hazard = draws.gamma(RATE_SHAPE, RATE_MEAN), draws.gamma(LEAVING_SHAPE, LEAVING_MEAN)
    threshold = draws.exponential()
    opened = draws.times(draws.gamma(TICKET_SHAPE, TICKET_MEAN), first, LAST + 1)
    tickets = [Ticket(day, draws.weighted(CATEGORIES)) for day in opened]
    left = leaving_day(tickets, first, hazard, threshold, planted)
    found = Life(business, left, [t for t in tickets if t.opened < left + SERVICE_AFTER_LEAVING])
    seen = max(first, 0.0)

    spend = [(first, bought.amount, bought.product)] if bought else []
    slows = RHYTHM in planted and business.segment == SLOWING_SEGMENT
    for day in draws.times(rate, seen, min(left, LAST + 1)):
        order = day, draws.gamma(SPEND_P, business.size), product(draws, SUPPLIES)
        if draws.chance(1 / SLOWING_FACTOR) or not (slows and day >= SLOWING_FROM):
            spend.append(order)

    for closed in draws.times(EXPANSION_RATE, seen, min(left, LAST + 200)):
        made = deal(draws, business, "Expansion", closed - draws.lognormal(28, 0.5), closed, planted=planted)
        invoiced, is_invoiced = closed + draws.lognormal(3, 0.6), draws.chance(0.96)
        if made.created < first:
            continue
        found.deals.append(made)
        if made.won and is_invoiced:
            spend.append((invoiced, made.amount, made.product))
    found.purchases = sorted((one for one in spend if exported(one[0])), key=lambda one: one[0])
    return found


def rentals(seed: int, companies: Sequence[Business], days: Sequence[float], planted: frozenset[str]) -> list[Rental]:
    """The subscriptions of those who rent: left as customers leave, at the end of the term, and some are back later."""
    found = []
    for n, (signed, business) in enumerate(zip(days, companies, strict=True)):
        draws = Draws(seed, RENTALS, 1, n)
        has_trial, keeps, is_annual = (draws.chance(p) for p in (P_TRIAL, P_TRIAL_KEPT, P_ANNUAL))
        began, plan_taken = signed + TRIAL_DAYS * has_trial, draws.weighted(RENTAL_PLANS)
        business.known = signed - 10 * draws.uniform()
        if has_trial and not keeps:
            found.append(Rental(Life(business, began, []), is_annual, signed, began, plan_taken, ended=began))
            continue
        business.first = began
        hazard, threshold = draws.gamma(LEAVING_SHAPE, RENTER_LEAVING_MEAN), draws.exponential()
        opened = draws.times(draws.gamma(TICKET_SHAPE, TICKET_MEAN), began, LAST + 1)
        tickets = [Ticket(day, draws.weighted(CATEGORIES)) for day in opened]
        left = leaving_day(tickets, began, hazard, threshold, planted)
        one = Life(business, left, [t for t in tickets if t.opened < left + SERVICE_AFTER_LEAVING])
        made = Rental(one, is_annual, signed, began, plan_taken)
        found.append(rented(made, left, draws))
        pause = made.ended + draws.lognormal(150, 0.5)
        if draws.chance(P_RETURNS) and pause < LAST:
            again = Rental(one, False, pause, pause, made.plan)
            found.append(rented(again, pause + draws.exponential() / hazard, draws))
    return found


def rented(made: Rental, left: float, draws: Draws) -> Rental:
    """The subscription with its moves until the end of the term in which its customer decides to leave."""
    made.ended = made.began + made.term * math.ceil((left - made.began) / made.term)
    made.moves = [(made.began, "New", made.cents_a_month)]
    plans = list(RENTS)
    for day in draws.times(PLAN_CHANGES_A_YEAR / YEAR, made.began, min(made.ended, LAST + 1)):
        up, before = draws.chance(P_UPGRADE), made.cents_a_month
        made.plan = plans[min(max(plans.index(made.plan) + (1 if up else -1), 0), len(plans) - 1)]
        if made.cents_a_month != before:
            made.moves.append((day, "Upgrade" if up else "Downgrade", abs(made.cents_a_month - before)))
    if made.ended < LAST + 1:
        made.moves.append((made.ended, "Cancelled", made.cents_a_month))
    made.is_paused = draws.chance(0.03) and made.ended >= LAST + 1
    if made.is_paused:
        made.moves.append((LAST - 50 * draws.uniform(), "Cancelled", made.cents_a_month))
    return made


@dataclass
class Company:
    """What happened, before any system has written it down."""

    seed: int
    leads: list[Lead]
    deals: list[Deal]
    lives: list[Life]
    rentals: list[Rental]
    accounts: list[Business]

    @property
    def renters(self) -> list[Life]:
        """Each once, however often it came back."""
        return list(dict.fromkeys(rental.life for rental in self.rentals))


def simulate(seed: int, planted: frozenset[str]) -> Company:
    """The company of that seed, with ids given out in the order in which its systems met each record."""
    old = Draws(seed, OLD).times(OLD_CUSTOMERS_A_YEAR / YEAR, OLD_CUSTOMERS_FROM, 0.0)
    came = Draws(seed, ARRIVALS).times(LEADS_A_YEAR / YEAR, LEADS_FROM, LAST + 1)
    signed = Draws(seed, RENTALS, 0).times(RENTERS_A_YEAR / YEAR, RENTERS_FROM, LAST - 5)
    names = businesses(seed, len(old) + len(came) + len(signed))
    names, renting = names[: -len(signed)], names[-len(signed) :]
    for first, business in zip(old, names[: len(old)], strict=True):
        business.first, business.known = first, first - 20
    all_leads = leads(seed, names[len(old) :], came, planted)
    won = {lead.business: lead.deal for lead in all_leads if lead.deal and lead.deal.won}
    lives = [
        life(Draws(seed, LIVES, index), business, won.get(business), planted)
        for index, business in enumerate(names)
        if business.first < LAST + 1
    ]
    lives = sorted((one for one in lives if one.purchases), key=lambda one: one.business.first)
    deals = [lead.deal for lead in all_leads if lead.deal] + [made for one in lives for made in one.deals]
    deals = sorted((made for made in deals if exported(made.created)), key=lambda made: made.created)
    met = dict.fromkeys([one.business for one in lives] + [made.business for made in deals])
    # The accounts of those who rent were taken over from another CRM at the end, and stand last.
    accounts = sorted(met, key=lambda business: business.known) + renting
    for n, customer in enumerate(lives, 10_001):
        customer.business.customer_id = f"C-{n}"
    for n, business in enumerate(accounts, 1):
        business.account_id = f"ACC-{n:05d}"
    for n, made in enumerate(deals, 1):
        made.opportunity_id = f"OPP-{n:05d}"
    kept = [lead for lead in all_leads if exported(lead.created)]
    for n, lead in enumerate(kept, 1):
        lead.lead_id = f"LEAD-{n:05d}"
    return Company(seed, kept, deals, lives, rentals(seed, renting, signed, planted), accounts)


# --- What each system exports.
Row = list[str]


def on(day: float) -> str:
    """The working day nearest to that day, as an ISO date; empty where the exports had not come to it yet."""
    if day >= LAST + 1:
        return ""
    found = START + timedelta(days=math.floor(day))
    return str(found + timedelta(days={5: -1, 6: 1}.get(found.weekday(), 0)))


def plan(day: float) -> str:
    """A planned day, which may lie beyond the end of the exports."""
    return str(START + timedelta(days=math.floor(day)))


def known(draws: Draws, value: str, p: float) -> str:
    """The value, left empty where nobody filled it in."""
    return value if draws.chance(p) else ""


def user_id(owner: int) -> str:
    return f"USR-{owner + 1}"


def phone(draws: Draws) -> str:
    return f"(555) 01{int(draws.uniform() * 10)}-{int(draws.uniform() * 10_000):04d}"


def crm_users() -> list[Row]:
    rows = [["user_id", "name", "email", "team", "active"]]
    for n, name in enumerate(OWNERS):
        rows.append([user_id(n), name, f"{name.split()[0].lower()}@harborfinch.example", "Sales", "true"])
    return rows


def crm_accounts(company: Company, draws: Draws) -> list[Row]:
    """Every account, and at the end three that somebody has entered again in capitals."""
    header = ["account_id", "account_name", "website", "phone", "segment", "industry", "region", "lead_source"]
    rows = [[*header, "owner_id", "status", "created_date", "customer_since"]]
    for one in company.accounts:
        bought = one.first < LAST + 1
        row = [one.account_id, one.name, f"www.{one.domain}", phone(draws), one.segment, one.industry, one.region]
        row += [known(draws, one.origin, 0.95), user_id(one.owner), "Customer" if bought else "Prospect", on(one.known)]
        rows.append([*row, on(one.first) if bought else ""])
    for n, customer in enumerate(company.lives[100:400:100], len(company.accounts) + 1):
        twice = customer.business
        row = [f"ACC-{n:05d}", twice.name.upper(), f"www.{twice.domain}", "", twice.segment, "", twice.region, ""]
        rows.append([*row, user_id(twice.owner), "Prospect", on(LAST - 40 + n % 30), ""])
    return rows


def crm_contacts(company: Company, draws: Draws) -> list[Row]:
    header = ["contact_id", "account_id", "first_name", "last_name", "email", "phone", "job_title", "role"]
    rows = [[*header, "preferred_channel", "created_date", "personal_note", "contact_status"]]
    kept = Draws(company.seed, TALKS, 0)
    for business in company.accounts:
        people = business.people if business.first < LAST + 1 else business.people[: draws.chance(0.35)]
        for one in people:
            title = draws.one_of(tuple(JOB_TITLES))
            row = [f"CON-{len(rows):05d}", business.account_id, one.first, one.last, known(draws, one.email, 0.97)]
            row += [known(draws, phone(draws), 0.9), title, known(draws, JOB_TITLES[title], 0.85)]
            channel = known(draws, draws.one_of(("Email", "Phone", "Visit")), 0.8)
            row += [channel, on(min(business.known + 200 * draws.uniform() ** 3, LAST))]
            status = "Left company" if kept.chance(0.03) else "Active"
            rows.append([*row, known(kept, kept.one_of(PERSONAL_NOTES), 0.3), status])
    return repeated(rows, draws, 4)


def crm_leads(company: Company, draws: Draws) -> list[Row]:
    header = ["lead_id", "company", "first_name", "last_name", "email", "lead_source", "segment", "region", "status"]
    dates = ["created_date", "qualified_date", "converted_date", "disqualified_date"]
    rows = [[*header, "owner_id", *dates, "opportunity_id", "referred_by", "lead_score"]]
    told = Draws(company.seed, TALKS, 1)
    for lead in company.leads:
        one, who = lead.business, lead.business.people[0]
        converted = lead.deal.created if lead.deal else math.inf
        reached = {"Converted": converted, "Disqualified": lead.given_up, "Qualified": lead.qualified}
        status = next((name for name, day in reached.items() if day < LAST + 1), "Working")
        row = [lead.lead_id, one.name, who.first, who.last, known(draws, who.email, 0.97)]
        row += [known(draws, one.origin, 0.95), one.segment, one.region, status, user_id(one.owner), on(lead.created)]
        row += [known(draws, on(lead.qualified), 0.98), on(converted), on(lead.given_up)]
        row.append(lead.deal.opportunity_id if lead.deal and converted < LAST + 1 else "")
        referrer = known(told, company.lives[int(told.uniform() ** 2 * 60)].business.name, 0.6)
        row.append(referrer if one.origin == "Referral" and referrer != one.name else "")
        # The score leans on what the deal will come to, and on chance more.
        merit = 12.0 if lead.deal and lead.deal.won else 0.0
        score = min(max(round(45 + merit + 18 * told.normal()), 0), 100)
        rows.append([*row, known(told, str(score), 0.9)])
    return rows


def crm_activities(company: Company) -> list[Row]:
    header = ["activity_id", "account_id", "contact_email", "owner_id", "activity_type", "direction", "outcome"]
    rows = [[*header, "notes", "activity_date", "duration_minutes"]]
    found: list[tuple[float, Row]] = []
    talked = [(life, Draws(company.seed, TALKS, 2, n)) for n, life in enumerate(company.lives)]
    talked += [(life, Draws(company.seed, RENTALS, 2, n)) for n, life in enumerate(company.renters)]
    for life, draws in talked:
        one = life.business
        begins = max(one.first, TALKS_FROM)
        for day in draws.times(CALLS_A_YEAR / YEAR, begins, max(begins, min(life.left + 30, LAST + 1))):
            kind, who = draws.weighted(TALK_KINDS), one.people[int(draws.uniform() ** 2 * len(one.people))]
            owner = one.owner if draws.chance(0.8) else int(draws.uniform() * len(OWNERS))
            outcome = known(draws, draws.weighted(TALK_OUTCOMES[kind]), 0.85) if kind in TALK_OUTCOMES else ""
            direction = "" if kind != "Email" else "Inbound" if outcome == "Answered" else "Outbound"
            row = [one.account_id, known(draws, who.email, 0.9), user_id(owner), kind, direction, outcome]
            row += [known(draws, draws.one_of(REMARKS), 0.3), on(day), str(5 * round(1 + 8 * draws.uniform()))]
            found.append((day, row))
    for n, (_, row) in enumerate(sorted(found, key=lambda pair: pair[0]), 1):
        rows.append([f"ACT-{n:05d}", *row])
    return rows


def mailing(company: Company) -> tuple[list[Row], list[Row]]:
    """The events of the mailing tool, and what people chose; a few are mailed after they opted out."""
    events = [["event_id", "email", "campaign", "event_type", "event_time"]]
    choices = [["email", "purpose", "opted_in", "changed_date"]]
    draws = Draws(company.seed, MAILS)
    noon = datetime.combine(START, datetime.min.time()) + timedelta(hours=12)
    for life in company.lives:
        for who in life.business.people:
            wants, chosen = draws.chance(0.9), draws.chance(0.8)
            since = max(life.business.first, 0) + 5
            if not wants or life.left < min(CAMPAIGNS.values()) or since >= min(CAMPAIGNS.values()):
                continue
            if chosen:
                choices.append([who.email, "Newsletter", "yes", on(since)])
            is_out = False
            for campaign, day in CAMPAIGNS.items():
                gets, bounces, opens, clicks, leaves, slips = (
                    draws.chance(p) for p in (0.7, 0.02, 0.36, 0.3, 0.02, 0.3)
                )
                if not gets or (is_out and not slips):
                    continue
                happened = [("Sent", 0.0)]
                if bounces:
                    happened.append(("Bounced", 0.01))
                elif opens:
                    happened += [("Opened", 0.2)] + [("Clicked", 0.21)] * clicks + [("Unsubscribed", 0.25)] * leaves
                    if leaves and not is_out:
                        choices.append([who.email, "Newsletter", "no", on(day + 1)])
                    is_out |= leaves
                for kind, after in happened:
                    events.append(["", who.email, campaign, kind, stamp(noon + timedelta(days=day + after))])
    events[1:] = [[f"EV-{n:06d}", *row[1:]] for n, row in enumerate(sorted(events[1:], key=lambda r: (r[4], r[1])), 1)]
    return events, [choices[0], *sorted(choices[1:], key=lambda row: (row[3], row[0]))]


def survey_answers(company: Company) -> list[Row]:
    rows = [["response_id", "account_id", "survey_type", "score", "comment", "answered_date"]]
    asked = [(life, Draws(company.seed, TALKS, 3, n)) for n, life in enumerate(company.lives)]
    asked += [(life, Draws(company.seed, RENTALS, 3, n)) for n, life in enumerate(company.renters)]
    for life, draws in asked:
        for year in range(1, 4):
            day = year * YEAR + 20 * draws.uniform()
            answers, score = draws.chance(0.35), draws.weighted(ANSWERS)
            comment = known(draws, draws.one_of(COMMENTS), 0.4)
            if answers and life.business.first < day < life.left:
                rows.append([f"NPS-{len(rows):05d}", life.business.account_id, "NPS", score, comment, on(day)])
    return rows


def service_offers(company: Company) -> list[Row]:
    """A free visit of our mechanic for half of the customers, drawn by lot; it changes nothing."""
    rows = [["assignment_id", "account_id", "offer_name", "variant", "offered_on"]]
    for n, life in enumerate(company.lives):
        draws = Draws(company.seed, TALKS, 4, n)
        day, variant = LAST - 300 + 150 * draws.uniform(), draws.one_of(("Free visit", "Control"))
        if life.business.first + 60 < day < life.left and draws.chance(0.6):
            rows.append([f"OFF-{len(rows):04d}", life.business.account_id, "Free service visit", variant, on(day)])
    return rows


def marketing_costs(company: Company) -> list[Row]:
    rows = [["month", "channel", "cost", "currency"]]
    for month in range(48):
        first = date(2022 + (6 + month) // 12, 1 + (6 + month) % 12, 1)
        start = (first - START).days
        for origin, cost in COST_PER_LEAD.items():
            came = sum(lead.business.origin == origin and start <= lead.created < start + 30 for lead in company.leads)
            rows.append([str(first), origin, f"{cost * came + 200:.2f}", "USD"])
    return rows


def crm_opportunities(company: Company, draws: Draws) -> list[Row]:
    """Every deal; an open one has neither outcome nor close date, and often an expected date long past."""
    header = ["opportunity_id", "account_id", "lead_id", "opportunity_name", "type", "stage", "amount", "currency"]
    more = ["lead_source", "product", "competitor", "loss_reason", "owner_id"]
    rows = [[*header, *more, "created_date", "close_date", "expected_close_date"]]
    lead_ids = {lead.deal: lead.lead_id for lead in company.leads if lead.deal}
    for made in company.deals:
        one, is_open = made.business, made.closed >= LAST + 1
        open_stage, reason = draws.one_of(("Discovery", "Proposal", "Negotiation")), draws.weighted(LOSS_REASONS)
        stage = open_stage if is_open else "Closed Won" if made.won else "Closed Lost"
        amount = f"{made.amount:.2f}" if draws.chance(0.97) or not is_open else ""
        row = [made.opportunity_id, one.account_id, lead_ids.get(made, ""), f"{one.name}: {made.product}", made.kind]
        row += [stage, amount, "USD", known(draws, one.origin, 0.95), made.product, made.competitor]
        row += [reason if stage == "Closed Lost" else "", user_id(one.owner), on(made.created)]
        rows.append([*row, on(made.closed), plan(made.created + draws.lognormal(45, 0.35))])
    return rows


def billing_products() -> list[Row]:
    rows = [["product_id", "product_name", "family", "list_price", "unit_cost"]]
    for family, items in FAMILIES.items():
        for n, item in enumerate(items, 1):
            price = (1200 if family in EQUIPMENT else 18) * (1 + 0.35 * n)
            rows.append([f"P-{len(rows):03d}", f"{family} {item}", family, f"{price:.2f}", f"{0.62 * price:.2f}"])
    return rows


@dataclass
class Payer:
    """A customer as billing knows it: by a number and a name, and not always by what the CRM calls it."""

    customer_id: str
    name: str
    email: str
    external_id: str
    days_to_pay: float


def payer(n: int, one: Business, draws: Draws) -> Payer:
    link, contact = draws.uniform(), one.people[0].email
    name, days_to_pay = one.name, draws.lognormal(24, 0.3)
    if link < 0.60:
        email, external = f"accounts@{one.domain}", one.account_id
        name = name.upper() if n % 150 == 7 else name
    elif link < 0.76:
        email, external = contact, ""
    elif link < 0.90:
        email, external, name = f"accounts@{one.domain}", "", f"{name} LLC" if draws.chance(0.2) else name
    else:
        email, external = "", ""
    return Payer(one.customer_id, name, email, external, days_to_pay)


@dataclass
class Bill:
    day: float
    by: Payer
    cents: int
    product: str
    kind: str = "Invoice"
    status: str = ""
    paid: float = math.inf


def bills(one: Life, by: Payer, draws: Draws) -> list[Bill]:
    """The invoices of one customer, and the few that were voided, failed, drafted or credited."""
    found = []
    for day, amount, item in one.purchases:
        bill = Bill(day, by, max(round(amount * 100), 100), item)
        if draws.chance(0.985):
            bill.paid = day + 1 + by.days_to_pay * draws.lognormal(1.0, 0.3)
        found.append(bill)
        if draws.chance(0.007):
            found.append(Bill(day, by, bill.cents, item, status="Void"))
        if draws.chance(0.005):
            found.append(Bill(day, by, bill.cents, item, status="Failed"))
        if day > LAST - 30 and draws.chance(0.04):
            found.append(Bill(LAST, by, bill.cents, item, status="Draft"))
        share, credited = 0.1 + 0.4 * draws.uniform(), day + 4 + 20 * draws.uniform()
        if draws.chance(0.012) and exported(credited):
            found.append(Bill(credited, by, -round(bill.cents * share), item, "Credit note", "Paid", credited))
    return found


def billing_invoices(company: Company, seed: int, draws: Draws) -> list[Row]:
    header = ["invoice_number", "customer_id", "customer_name", "billing_email", "external_id", "type", "product"]
    money = ["net_amount", "tax_amount", "total_amount", "cost_of_goods", "currency", "status"]
    rows = [[*header, "issue_date", "due_date", "paid_date", *money]]
    found: list[Bill] = []
    for n, one in enumerate(company.lives):
        drawing = Draws(seed, BILLING, n)
        found += bills(one, payer(n, one.business, drawing), drawing)
    for n, bill in enumerate(sorted(found, key=lambda bill: (on(bill.day), bill.by.customer_id)), 1):
        tax, due, is_sale = round(bill.cents * 0.08), math.floor(bill.day) + 30, bill.kind == "Invoice"
        paid = on(bill.paid)
        status = bill.status or ("Paid" if paid else "Overdue" if due < LAST else "Open")
        prefix = "INV" if is_sale else "CN"
        row = [f"{prefix}-{n:05d}", bill.by.customer_id, bill.by.name, bill.by.email, bill.by.external_id, bill.kind]
        row += [bill.product, on(bill.day), plan(due) if is_sale else "", paid]
        row += [f"{cents / 100:.2f}" for cents in (bill.cents, tax, bill.cents + tax)]
        rows.append([*row, f"{cost(bill) / 100:.2f}" if is_sale else "", "USD", status])
    return repeated(rows, draws, 6)


def cost(bill: Bill) -> int:
    """Cents that what was sold cost us."""
    return round(bill.cents * next(share for family, share in COST_SHARES.items() if bill.product.startswith(family)))


def rental_subscriptions(company: Company) -> list[Row]:
    """Every subscription as it is now; an amount is that of a month or of a year."""
    header = ["subscription_id", "customer_name", "billing_email", "account_id", "plan", "status", "billing_period"]
    rows = [[*header, "price", "currency", "start_date", "trial_end", "next_billing_date", "end_date", "cancel_reason"]]
    for n, rental in enumerate(company.rentals, 1):
        one, draws = rental.life.business, Draws(company.seed, RENTALS, 4, n)
        ends, is_trial = rental.ended < LAST + 1, rental.began >= LAST + 1
        past_due, reason = draws.chance(P_PAST_DUE), draws.weighted(CANCEL_REASONS)
        running = "Trial" if is_trial else "Paused" if rental.is_paused else "Past due" if past_due else "Active"
        terms = max(math.ceil((LAST + 1 - rental.began) / rental.term), 0)
        row = [f"SUB-{n:04d}", one.name, f"accounts@{one.domain}", known(draws, one.account_id, 0.7), rental.plan]
        row += ["Cancelled" if ends else running, "Annual" if rental.is_annual else "Monthly"]
        row += [f"{rental.cents / 100:.2f}", "USD", on(rental.signed)]
        row += [plan(rental.began) if rental.began > rental.signed else ""]
        row += ["" if ends or rental.is_paused else plan(rental.began + rental.term * terms), on(rental.ended)]
        rows.append([*row, reason if ends else ""])
    return rows


def rental_changes(company: Company) -> list[Row]:
    """Every movement of monthly recurring revenue, by day."""
    rows = [["change_id", "subscription_id", "change_type", "mrr_change", "change_date"]]
    found = [(day, n, kind, cents) for n, made in enumerate(company.rentals, 1) for day, kind, cents in made.moves]
    for n, (day, number, kind, cents) in enumerate(sorted(found), 1):
        if day < LAST + 1:
            rows.append([f"MRR-{n:05d}", f"SUB-{number:04d}", kind, f"{cents / 100:.2f}", on(day)])
    return rows


def support_tickets(company: Company, draws: Draws) -> list[Row]:
    header = ["ticket_id", "requester_email", "organization", "subject", "category", "priority", "status"]
    rows = [[*header, "created_at", "first_response_at", "resolved_at", "satisfaction_score"]]
    renting = Draws(company.seed, RENTALS, 5)
    asked = [(one, draws) for one in company.lives] + [(one, renting) for one in company.renters]
    opened = [(ticket, one.business, its) for one, its in asked for ticket in one.tickets if exported(ticket.opened)]
    now = datetime.combine(END, datetime.max.time())
    for n, (ticket, one, drawing) in enumerate(sorted(opened, key=lambda each: each[0].opened), 20_001):
        priority, who = drawing.weighted(PRIORITIES), one.people[int(drawing.uniform() ** 2 * len(one.people))].email
        requester = who if drawing.chance(0.94) else f"service@{one.domain}"
        to_end, to_answer = (
            drawing.lognormal(RESOLUTION_HOURS[priority], 0.9),
            drawing.lognormal(RESPONSE_HOURS[priority], 0.8),
        )
        at = datetime.combine(START, datetime.min.time()) + timedelta(days=math.floor(ticket.opened))
        at += timedelta(minutes=round(480 + 600 * (ticket.opened % 1.0)))
        answered, solved = at + timedelta(hours=min(to_answer, 0.9 * to_end)), at + timedelta(hours=to_end)
        is_solved = drawing.chance(0.99) and solved <= now
        score = known(drawing, drawing.weighted({"5": 0.46, "4": 0.3, "3": 0.13, "2": 0.06, "1": 0.05}), 0.55)
        status = "Closed" if is_solved else "Pending" if answered <= now else "Open"
        row = [
            str(n),
            requester,
            known(drawing, one.name, 0.93),
            drawing.one_of(SUBJECTS[ticket.category]),
            ticket.category,
        ]
        row += [priority, status, stamp(at), stamp(answered) if answered <= now else ""]
        rows.append([*row, stamp(solved) if is_solved else "", score if is_solved else ""])
    return repeated(rows, draws, 5)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")


def repeated(rows: list[Row], draws: Draws, times: int) -> list[Row]:
    """The rows with a few of them exported twice."""
    for _ in range(times):
        n = 1 + int(draws.uniform() * (len(rows) - 1))
        rows.insert(n, rows[n])
    return rows


def tables(seed: int, planted: frozenset[str]) -> dict[str, list[Row]]:
    """Every export by file name, its header first."""
    company = simulate(seed, planted)
    events, choices = mailing(company)
    return {
        "crm_users.csv": crm_users(),
        "crm_accounts.csv": crm_accounts(company, Draws(seed, CRM, 0)),
        "crm_contacts.csv": crm_contacts(company, Draws(seed, CRM, 1)),
        "crm_leads.csv": crm_leads(company, Draws(seed, CRM, 2)),
        "crm_opportunities.csv": crm_opportunities(company, Draws(seed, CRM, 3)),
        "billing_products.csv": billing_products(),
        "billing_invoices.csv": billing_invoices(company, seed, Draws(seed, CRM, 4)),
        "rental_subscriptions.csv": rental_subscriptions(company),
        "rental_changes.csv": rental_changes(company),
        "support_tickets.csv": support_tickets(company, Draws(seed, DESK)),
        "crm_activities.csv": crm_activities(company),
        "mailing_events.csv": events,
        "mailing_consents.csv": choices,
        "survey_answers.csv": survey_answers(company),
        "service_offers.csv": service_offers(company),
        "marketing_costs.csv": marketing_costs(company),
    }


def write(folder: Path | str, *, seed: int = SEED, planted: bool | Iterable[str] = True) -> None:
    """Writes the exports into `folder`, which is made where it is missing; files of the same names are replaced.

    `planted` is True for all TRUTHS, False for none, or the names of some; ValueError where a name is none of them.
    The seed is an integer from 0 to 2**32 - 1.
    """
    truths = (TRUTHS if planted else frozenset()) if isinstance(planted, bool) else frozenset(planted)
    if unknown := sorted(truths - TRUTHS):
        raise ValueError(f"no truth is called {', '.join(unknown)}; there are {', '.join(sorted(TRUTHS))}")
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for name, rows in tables(seed, truths).items():
        with (place / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Writes the exports of the example company into FOLDER.")
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("--seed", metavar="N", type=int, default=SEED, help=f"another company (default {SEED})")
    parser.add_argument("--calm", action="store_true", help="without the planted truths")
    options = parser.parse_args(arguments)
    write(options.folder, seed=options.seed, planted=not options.calm)


if __name__ == "__main__":
    main()
