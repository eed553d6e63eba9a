"""Runs on a machine of namespaces.py: a request is a line of JSON, its answer another."""

import json
import ssl
import sys

import requests
import websocket


def request(session, url, method="GET", headers=None, body=None, authority=None):
    """One HTTP request; redirects are shown, not followed. Args: authority: PEM file to trust."""
    answer = session.request(
        method,
        url,
        headers={"Accept": "text/html", **(headers or {})},
        json=body,
        verify=authority or True,
        allow_redirects=False,
        timeout=60,
    )
    is_json = answer.headers.get("Content-Type") == "application/json"
    return {
        "status": answer.status_code,
        "headers": dict(answer.headers),
        "text": answer.text,
        "json": answer.json() if is_json else None,
    }


def poll(session, url, origin=None, authority=None, namespace="/"):
    """A Socket.IO connection by polling, up to the server's answer to it."""
    options = {"headers": {"Origin": origin} if origin else {}, "verify": authority or True, "timeout": 60}
    url += "/socket.io/?EIO=4&transport=polling"
    opened = session.get(url, **options)
    if opened.status_code != 200:
        return {"status": opened.status_code, "text": opened.text}
    url += f"&sid={json.loads(opened.text[1:])['sid']}"
    join = "40" if namespace == "/" else f"40{namespace},"
    session.post(url, data=join, **options).raise_for_status()
    return {"status": 200, "text": session.get(url, **options).text}


def connect(session, url, origin=None, authority=None, namespace="/"):
    """The same by WebSocket."""
    address = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    context = ssl.create_default_context(cafile=authority) if authority else None
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
    options = {"origin": origin, "suppress_origin": origin is None, "cookie": cookies or None, "timeout": 60}
    try:
        connection = websocket.create_connection(address, sslopt={"context": context}, **options)
    except websocket.WebSocketBadStatusException as exc:
        return {"status": exc.status_code, "text": (exc.resp_body or b"").decode()}
    try:
        connection.recv()
        connection.send("40" if namespace == "/" else f"40{namespace},")
        return {"status": 101, "text": connection.recv()}
    finally:
        connection.close()


def forget(session, _url):
    """Drop all cookies; nobody is asked."""
    session.cookies.clear()
    return {}


VERBS = {each.__name__: each for each in (request, poll, connect, forget)}


def main():
    session = requests.Session()
    session.trust_env = False
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = VERBS[order.pop("verb")](session, order.pop("url"), **order)
        except Exception as exc:  # the tests' process raises it
            answer = {"failed": f"{type(exc).__name__}: {exc}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
