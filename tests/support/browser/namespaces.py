"""A network of the tests' own: machines that are Linux network namespaces, at one bridge, with no way out.

A namespace lives as long as the process that holds it, and that one ends when the tests do, however they end:
nothing has to be cleaned up. Who is not root becomes root in a user namespace, which needs no rights.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.support.browser.chromium import require_tool

ROOT = Path(__file__).resolve().parents[3]
SUBNET = "192.168.77"
OTHER_SUBNET = "192.168.78"
SUBNET_IPV6 = "fd77::"
INTERFACE = "lan0"


class Machine:
    """One namespace, with loopback and, once it is plugged in, the interface lan0."""

    def __init__(self, name, within=None):
        """Args: within: a machine whose user namespace this one shares; None makes the first."""
        self.name = name
        self._client = None
        is_root = os.geteuid() == 0
        self._enter_user = [] if is_root else ["--user", "--preserve-credentials"]
        unshare = [require_tool("unshare"), "--net"]
        if within is not None:
            start = [*within.command[:-1], "--", *unshare]
        else:
            start = unshare if is_root else [*unshare, "--user", "--map-root-user"]
        # Ends with its standard input, and so with the process of the tests.
        self._holder = subprocess.Popen(
            [*start, "sh", "-c", "echo ready && exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        answer = self._holder.stdout.readline()
        if answer.strip() != "ready":
            raise RuntimeError(
                f"No network namespace could be made ({answer.strip()}), so sharing cannot be tested. Run "
                "the tests as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1 "
                "kernel.apparmor_restrict_unprivileged_userns=0)."
            )
        self.run("ip", "link", "set", "lo", "up")

    @property
    def pid(self):
        """A process in the namespace."""
        return self._holder.pid

    @property
    def command(self):
        """What stands before a command so that it runs on this machine."""
        return [require_tool("nsenter"), "--target", str(self.pid), "--net", *self._enter_user, "--"]

    def run(self, *command):
        """Run a command on this machine; returns what it prints. Raises RuntimeError with its complaint."""
        done = subprocess.run([*self.command, *command], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{self.name}: {' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    @property
    def client(self):
        """Asks other machines from this one."""
        if self._client is None:
            self._client = Client(self)
        return self._client

    def add_address(self, address):
        """Args: address: with the length of its net, such as 192.168.77.5/24."""
        # IPv6 would wait a second to hear whether somebody else has the address.
        self.run("ip", "address", "add", address, "dev", INTERFACE, *(["nodad"] if ":" in address else []))

    def remove_address(self, address):
        self.run("ip", "address", "del", address, "dev", INTERFACE)

    def wait_until_settled(self, timeout_s=60):
        """Wait until each address is its own: Chromium cuts all its connections when one becomes so."""
        end_s = time.monotonic() + timeout_s
        while tentative := self.run("ip", "-6", "address", "show", "tentative").strip():
            if time.monotonic() > end_s:
                raise RuntimeError(f"{self.name}: not settled within {timeout_s} s: {tentative}")
            time.sleep(0.05)

    def wrapper(self, folder, program):
        """Path of a script that runs `program` on this machine, for who takes nothing but a path."""
        path = Path(folder) / f"{Path(program).name}-on-{self.name}"
        path.write_text(f'#!/bin/sh\nexec {" ".join(self.command)} "{program}" "$@"\n')
        path.chmod(0o755)
        return path

    def ways_out(self):
        """Routes that lead further than the own network, and interfaces that are none of ours."""
        routes = [self.run("ip", family, "route", "show", "default") for family in ("-4", "-6")]
        links = json.loads(self.run("ip", "-json", "link", "show"))
        names = {link["ifname"] for link in links}
        return [
            *filter(None, routes),
            *(names - {"lo", INTERFACE} - {n for n in names if n.startswith("port-")}),
        ]

    def close(self):
        if self._client is not None:
            self._client.close()
        self._holder.stdin.close()
        self._holder.wait(60)
        self._holder.stdout.close()


class Client:
    """A process on a machine that asks servers, one request after another, and keeps their cookies."""

    def __init__(self, machine):
        self._process = subprocess.Popen(
            [*machine.command, sys.executable, "-m", "tests.support.browser.network_client"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )

    def ask(self, verb, url, **options):
        """Call a verb of network_client.py; returns what it answers, or raises RuntimeError."""
        self._process.stdin.write(json.dumps({"verb": verb, "url": url, **options}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "failed" in answer:
            raise RuntimeError(f"{verb} {url}: {answer['failed']}")
        return answer

    def get(self, url, **options):
        return self.ask("request", url, **options)

    def close(self):
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


class LocalNetwork:
    """The host, the phone and the outsider at one switch, which is in the host."""

    def __init__(self):
        self.machines = []
        try:
            self.host = self._machine("host")
            self.host.run("ip", "link", "add", INTERFACE, "type", "bridge")
            self.host.run("ip", "link", "set", INTERFACE, "up")
            self.host_addresses = [f"{SUBNET}.1", f"{SUBNET_IPV6}1"]
            self.host.add_address(f"{SUBNET}.1/24")
            self.host.add_address(f"{SUBNET_IPV6}1/64")
            self.phone = self._plugged_in("phone", 2)
            self.outsider = self._plugged_in("outsider", 3)
            for machine in self.machines:
                machine.wait_until_settled()
        except BaseException:
            self.close()
            raise

    def _machine(self, name):
        machine = Machine(name, self.machines[0] if self.machines else None)
        self.machines.append(machine)
        return machine

    def _plugged_in(self, name, number):
        machine = self._machine(name)
        port = f"port-{name}"[:15]
        self.host.run(
            "ip", "link", "add", port, "type", "veth", "peer", "name", INTERFACE, "netns", str(machine.pid)
        )
        self.host.run("ip", "link", "set", port, "master", INTERFACE, "up")
        machine.run("ip", "link", "set", INTERFACE, "up")
        machine.add_address(f"{SUBNET}.{number}/24")
        machine.add_address(f"{SUBNET_IPV6}{number}/64")
        return machine

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()

    def close(self):
        for machine in reversed(self.machines):
            machine.close()
