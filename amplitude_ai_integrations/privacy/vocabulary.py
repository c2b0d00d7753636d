"""Words that tell what a value or a number is: they name it, or stand before it."""

from __future__ import annotations

from typing import Final


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


# Keys, by their last word.
PHONE_KEYS: Final = _words(
    "phone phones telephone mobile cellphone tel fax msisdn whatsapp phonenumber mobilenumber"
)
CARD_KEYS: Final = _words("card cards creditcard pan cardnumber ccnumber")
SSN_KEYS: Final = _words("ssn ssns")
SECRET_KEYS: Final = _words("secret token authorization cookie apikey credential credentials jwt")
PASSWORD_KEYS: Final = _words("password passwd pwd passphrase passcode cvv cvc")
OWNERS_OF_PASSES: Final = _words("db database user root admin mysql postgres redis smtp mail ftp proxy")
VERSION_KEYS: Final = _words("version release build revision firmware section")
NUMBER_WORDS: Final = _words("number numbers num no nr")  # at the end of a key, add nothing
KINDS_OF_SECRET_KEYS: Final = _words("api access secret private auth account encryption signing subscription")
KINDS_OF_PLAIN_TOKENS: Final = _words(  # parts of a text, places in a list
    "page next continuation sync cursor input output eos bos pad unk sep cls",
    "mask stop special first last max min",
)
# The last letters of keys that name secrets: most `=` and `:` have something else before them.
ENDS_OF_SECRET_KEYS: Final = _words("ord swd pwd ass ase ode ret ken key ion kie ial als jwt cvv cvc")
TYPE_NAMES: Final = _words("string text required none null true false hidden")

# Words before a number in a text, and what may stand between.
VERSION_WORDS: Final = _words(
    "version versions release releases build revision firmware section sections sec chapter chapters clause",
    "clauses paragraph article appendix oid objectidentifier rev ver v upgrade upgraded downgrade downgraded",
)
BETWEEN_VERSIONS: Final = _words("and or to from through")
PHONE_WORDS: Final = _words(
    "phone telephone cellphone telefon telefono teléfono tel tél mobile mobil móvil cell fax",
    "whatsapp msisdn ph fon handy rufnummer telefonnummer celular my",
)
PHONE_ENDINGS: Final = ("电话", "手机", "手机号", "電話")  # in scripts without spaces
CALLING_WORDS: Final = _words("call dial ring text sms")
BEFORE_PHONES: Final = _words("number no nr is at on me us him her them")
SSN_WORDS: Final = _words("ssn social security")

# What follows an @ and is no domain: files, and units of a service manager.
FILE_ENDINGS: Final = _words(
    "png jpg jpeg gif svg webp css js mjs ts tsx jsx json html htm txt xml yml yaml log pdf tgz whl jar",
    "service socket timer mount target slice scope",
)
REPOSITORY_USERS: Final = _words("git hg svn")
