"""Reads a time stamp as an authority answers it (RFC 3161, CMS of RFC 5652) and checks it against the text that it is over.

What is checked: that it was granted, that it is over this text, and that the certificate in it signed that. Whose certificate it
is tells somebody who names the authorities that he trusts. `openssl ts -verify` does the same with software of others.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID

SET, OCTETS, TIME = 0x31, 0x04, 0x18
FIRST = 0xA0
"""An element that the format numbers [0]."""

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_TST_INFO = bytes.fromhex("2a864886f70d0109100104")
_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
_PSS = bytes.fromhex("2a864886f70d01010a")
_HASHES: dict[bytes, hashes.HashAlgorithm] = {
    bytes.fromhex("608648016503040201"): hashes.SHA256(),
    bytes.fromhex("608648016503040202"): hashes.SHA384(),
    bytes.fromhex("608648016503040203"): hashes.SHA512(),
}
_ISSUERS_MAX = 8
_UNREAD = (UnsupportedAlgorithm, x509.ExtensionNotFound, x509.DuplicateExtension, x509.InvalidVersion)


class TimeStampWrong(Exception):
    """It is no time stamp over this text, or not by a certificate that may make one."""


class Element(NamedTuple):
    """One element of DER: its tag, what is in it, and all its bytes."""

    tag: int
    content: bytes
    whole: bytes

    def parts(self) -> "list[Element]":
        """The elements in it."""
        return list(_elements(self.content))


class TimeStamp(NamedTuple):
    """When an authority says it saw the text, and whose certificate signed that."""

    at: datetime
    signer: x509.Certificate
    others: tuple[x509.Certificate, ...]


def check_time_stamp(answer: bytes, text: bytes, authorities: Sequence[x509.Certificate] = ()) -> TimeStamp:
    """The time stamp in an authority's answer over `text`; raises TimeStampWrong.

    With `authorities` its certificate has to be one of them, or issued under one. One signature, and one a certificate.
    """
    try:
        found = _read(answer, text)
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, *_UNREAD) as unread:
        raise TimeStampWrong(f"it cannot be read ({type(unread).__name__})") from None
    if authorities and not _is_under(found, authorities):
        raise TimeStampWrong(
            f"its certificate ({found.signer.subject.rfc4514_string()[:200]}) is not of the authorities that were named"
        )
    return found


def _read(answer: bytes, text: bytes) -> TimeStamp:
    (response,) = _elements(answer)
    status, token = response.parts()
    if status.parts()[0].content not in {b"\x00", b"\x01"}:
        raise TimeStampWrong("the authority did not grant it")
    kind, signed = token.parts()
    if kind.content != _SIGNED_DATA:
        raise TimeStampWrong("it is not signed data")
    (data,) = signed.parts()
    _, _, enclosed, *rest = data.parts()
    kind, held = enclosed.parts()
    (said,) = held.parts()
    if kind.content != _TST_INFO or said.tag != OCTETS:
        raise TimeStampWrong("what is signed is no time stamp")
    (info,) = _elements(said.content)
    _, _, imprint, _, at, *_ = info.parts()
    algorithm, digest = imprint.parts()
    if _HASHES[algorithm.parts()[0].content].name != "sha256" or digest.content != hashlib.sha256(text).digest():
        raise TimeStampWrong("it is over another text")
    if at.tag != TIME:
        raise TimeStampWrong("it says no time")
    (signer,) = rest[-1].parts()
    certificates = [x509.load_der_x509_certificate(each.whole) for e in rest if e.tag == FIRST for each in e.parts()]
    own = _signed_by(signer, said.content, certificates)
    others = tuple(each for each in certificates if each != own)
    return TimeStamp(_instant(at.content.decode("ascii")), own, others)


def _instant(text: str) -> datetime:
    """GeneralizedTime as RFC 3161 has it: UTC, a fraction where there is one."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    at = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return at.replace(microsecond=int(fraction[:6].ljust(6, "0"))) if fraction else at


def _signed_by(signer: Element, said: bytes, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """The certificate among those that signed; its attributes name the digest of what is said (RFC 5652, section 5.4)."""
    _, _, algorithm, attributes, signature_algorithm, signature, *_ = signer.parts()
    digest = _HASHES[algorithm.parts()[0].content]
    named = {kind.content: value for kind, value in (each.parts() for each in attributes.parts())}
    (stated,) = named[_MESSAGE_DIGEST].parts()
    if attributes.tag != FIRST or stated.content != hashlib.new(digest.name, said).digest():
        raise TimeStampWrong("its signature is over something else than it says")
    message = bytes([SET]) + attributes.whole[1:]
    kind = signature_algorithm.parts()[0].content
    for each in certificates:
        if _verifies(each, kind, signature.content, message, digest):
            usage = each.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            if ExtendedKeyUsageOID.TIME_STAMPING not in usage:
                raise TimeStampWrong("its certificate is not for time stamps")
            return each
    raise TimeStampWrong("no certificate in it made its signature")


def _verifies(
    certificate: x509.Certificate, kind: bytes, signature: bytes, message: bytes, digest: hashes.HashAlgorithm
) -> bool:
    key = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            pss = padding.PSS(padding.MGF1(digest), padding.PSS.AUTO)
            key.verify(signature, message, pss if kind == _PSS else padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(digest))
        elif isinstance(key, Ed25519PublicKey):
            key.verify(signature, message)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _is_under(found: TimeStamp, authorities: Sequence[x509.Certificate]) -> bool:
    """Whether its certificate is one of these or was issued under one, each valid when the time stamp was made."""
    each = found.signer
    for _ in range(_ISSUERS_MAX):
        if not each.not_valid_before_utc <= found.at <= each.not_valid_after_utc:
            return False
        if each in authorities:
            return True
        issuer = next((other for other in (*authorities, *found.others) if _issued(other, each)), None)
        if issuer is None:
            return False
        each = issuer
    return False


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
        return issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False


def _elements(raw: bytes) -> Iterator[Element]:
    """The elements one behind the other; ValueError where the bytes are not whole elements (X.690, definite lengths)."""
    at = 0
    while at < len(raw):
        tag, length, begins = raw[at], raw[at + 1], at + 2
        if length >= 0x80:
            many = length & 0x7F
            if not 1 <= many <= 4:
                raise ValueError("a length that no time stamp has")
            length, begins = int.from_bytes(raw[begins : begins + many], "big"), begins + many
        ends = begins + length
        if ends > len(raw):
            raise ValueError("an element is cut off")
        yield Element(tag, raw[begins:ends], raw[at:ends])
        at = ends
