#!/bin/sh
# The programs of examples/embedded on the host's board, plain and under the sanitizers. TAP. The other boards are `make targets`.
exec "$(dirname "$0")/targets/examples.sh" host
