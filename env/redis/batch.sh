#!/bin/sh
# Runs a program as a batch process, where the system can: sh batch.sh PROGRAM ARGUMENTS...
#
# Under SCHED_BATCH (sched(7)) a process that is woken does not interrupt the one that runs. The processes of the shop wake
# each other with every message: now more messages wait for each when its turn comes, and it takes them together.
if chrt -b 0 true 2>/dev/null; then
  exec chrt -b 0 "$@"
fi
exec "$@"
