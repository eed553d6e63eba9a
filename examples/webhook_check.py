"""Checks that a webhook comes from your fer-web: copy the function into your program."""

import base64
import hashlib
import hmac
import time


def is_genuine(secret: bytes, headers, body: bytes) -> bool:
    """Whether the signature is right, and the event not older than five minutes."""
    sent_s = int(headers["webhook-timestamp"])
    signed = f"{headers['webhook-id']}.{sent_s}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return abs(time.time() - sent_s) < 300 and hmac.compare_digest(wanted, headers["webhook-signature"])
