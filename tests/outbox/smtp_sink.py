"""A small mail server for tests: keeps what it takes, and can hold back its answer to the DATA of a mail."""

import select
import socket
import socketserver
import threading
from email import message_from_bytes
from email.message import Message


class SmtpSink(socketserver.ThreadingTCPServer):
    """Listens on a free loopback port; `messages` are those whose sender was there to hear that they were taken."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), SmtpConversation)
        self.messages: list[Message] = []
        self.answering = threading.Event()
        self.answering.set()
        self.holding = threading.Event()
        self.refusing = threading.Event()
        self.conversations = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def hold(self) -> None:
        """From now on a mail's sender waits for the answer, until `release`."""
        self.answering.clear()

    def release(self) -> None:
        self.answering.set()


class SmtpConversation(socketserver.StreamRequestHandler):
    server: SmtpSink

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def setup(self) -> None:
        super().setup()
        self.server.conversations += 1

    def finish(self) -> None:
        self.server.conversations -= 1
        super().finish()

    def handle(self) -> None:
        self.say("220 sink")
        while line := self.rfile.readline():
            match line[:4].upper():
                case b"DATA":
                    self.say("354 go on")
                    self.take(b"".join(iter(self.rfile.readline, b".\r\n")))
                case b"QUIT":
                    self.say("221 bye")
                    return
                case _:
                    self.say("250 ok")

    def take(self, data: bytes) -> None:
        if not self.server.answering.is_set():
            self.server.holding.set()
            self.server.answering.wait()
            if self.is_sender_gone():
                return
        if self.server.refusing.is_set():
            self.say("451 not now")
        else:
            self.server.messages.append(message_from_bytes(data))
            self.say("250 taken")

    def is_sender_gone(self) -> bool:
        """Whether the connection ends within a moment; one who is there waits for the answer and says nothing."""
        try:
            return bool(select.select([self.connection], [], [], 0.5)[0]) and not self.connection.recv(
                1, socket.MSG_PEEK
            )
        except ConnectionResetError:
            return True
