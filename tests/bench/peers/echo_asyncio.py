"""An echo server with asyncio, or with uvloop: python3 echo_asyncio.py asyncio|uvloop PORT. A Protocol: streams are slower."""
import asyncio
import sys

if sys.argv[1] == "uvloop":
    import uvloop
    uvloop.install()


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def main():
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", int(sys.argv[2]), backlog=1024)
    await server.serve_forever()


asyncio.run(main())
