#!/bin/sh
# Runs a program that ends when the process that started it is gone: sh die-with-parent.sh PROGRAM ARGUMENTS...
#
# Descriptor 3 is a pipe whose other end the starter holds. A line on it lets the program go; its end without a line,
# which the system brings about however the starter dies, sends SIGTERM, and SIGCONT in case the program is frozen.
# The watch is a grandchild, because Redis complains of children it does not know.
set -u

(
  (
    exec 4>&- 5>&-
    read -r _ <&3 || { kill -TERM $$ && kill -CONT $$; }
  ) </dev/null >/dev/null 2>&1 &
)
exec /bin/sh "${0%/*}/../redis/batch.sh" "$@" 3<&-
