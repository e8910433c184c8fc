"""An echo server with asyncio, or with uvloop: python3 echo_asyncio.py asyncio|uvloop PORT. Each in the form in which it is faster,
both faster than streams. Into a plain Protocol asyncio reads with a fresh buffer of 256 KiB each time, for which the C library asks
the kernel: four times the CPU (unless a larger one was freed before)."""
import asyncio
import sys


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


class BufferedEcho(asyncio.BufferedProtocol):
    def connection_made(self, transport):
        self.transport = transport
        self.buffer = bytearray(128)

    def get_buffer(self, size):
        return self.buffer

    def buffer_updated(self, size):
        self.transport.write(bytes(self.buffer[:size]))


async def main(protocol):
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", int(sys.argv[2]), backlog=1024)
    await server.serve_forever()


if sys.argv[1] == "uvloop":
    import uvloop
    uvloop.install()
    asyncio.run(main(Echo))
else:
    asyncio.run(main(BufferedEcho))
