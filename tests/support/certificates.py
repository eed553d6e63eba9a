"""Shaking hands with a certificate, as a client does."""

import socket
import ssl
import threading


def certificate_of(context, roots_pem, name):
    """What a client that trusts these roots, and asks for this name, is shown. Raises ssl.SSLError."""
    client_context = ssl.create_default_context(cadata=roots_pem.decode())
    server_end, client_end = socket.socketpair()
    with server_end, client_end:
        client_end.settimeout(60)
        server = threading.Thread(target=shake_hands, args=(context, server_end))
        server.start()
        try:
            with client_context.wrap_socket(client_end, server_hostname=name) as client:
                return client.getpeercert(binary_form=True)
        finally:
            client_end.close()
            server.join(10)


def shake_hands(context, connection):
    connection.settimeout(60)
    try:
        context.wrap_socket(connection, server_side=True).close()
    except OSError:
        return
