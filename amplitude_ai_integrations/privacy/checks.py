"""What makes digits the number of a card, a bank account or a telephone: issuers, lengths and checksums."""

from __future__ import annotations

import re
from typing import Final

_CARD = re.compile(
    r"4\d{12}(?:\d{3}){0,2}"  # Visa
    r"|(?:5[1-5]..|222[1-9]|22[3-9].|2[3-6]..|27[01].|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[689].)\d{11,16}"  # Diners Club
    r"|(?:6[025]..|64[4-9].|8[12]..|35[2-8].|220[0-4])\d{12,15}"  # Discover, UnionPay, RuPay, JCB, Mir
    r"|(?:50[1-3]8|5893|6304|67(?:59|6[1-3]))\d{9,15}"  # Maestro
)
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # twice a digit, its own digits added up


def _pairs(text: str) -> dict[str, int]:
    return {item[:2].rstrip(":"): int(item[2:].lstrip(":")) for item in text.split()}


# Characters of an IBAN by country.
_IBAN_LENGTHS: Final = _pairs(
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28"
    " EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27"
    " JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18"
    " NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28"
    " TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
)
# Most digits of a telephone number by country code, which they include.
_PHONE_LENGTHS: Final = _pairs(
    "1:11 7:11 20:12 27:11 30:12 31:11 32:11 33:11 34:11 36:11 40:11 41:11 43:13 44:12 45:10 46:12 47:10"
    " 48:11 51:11 52:13 53:10 56:11 57:12 58:12 60:12 61:11 63:12 64:12 65:10 66:11 81:12 82:12 84:12"
    " 90:12 91:12 92:12 93:11 94:11 95:12 98:12"
)
_LONGEST_PHONE = 13


def is_card(digits: str) -> bool:
    """Tell whether digits are a card number, by issuer, length and Luhn's checksum."""
    if not _CARD.fullmatch(digits):
        return False
    turned = [int(digit) for digit in reversed(digits)]
    return (sum(turned[::2]) + sum(_DOUBLED[digit] for digit in turned[1::2])) % 10 == 0


def iban_length(country: str) -> int:
    """Return how many characters a country's IBAN has, 0 where there is none."""
    return _IBAN_LENGTHS.get(country, 0)


def is_iban(characters: str) -> bool:
    """Tell whether letters and digits of the right length have an IBAN's checksum (97)."""
    turned = characters[4:] + characters[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def longest_phone(digits: str) -> int:
    """Return how many digits a telephone number can have that begins with a country code."""
    return _PHONE_LENGTHS.get(digits[:1]) or _PHONE_LENGTHS.get(digits[:2]) or _LONGEST_PHONE
