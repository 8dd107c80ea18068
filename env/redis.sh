#!/bin/sh
# Starts one Redis of the shop, with its users: used by docker-compose.yml and by shop.ts alike. It is called by its path.
#
# The owner, Redis's default user, may do everything. A *listener* (order, payment, stock) visits a sibling's Redis to
# read its log, to report how far it has read (under its own name only), and to hold locks; a *locker* (ids) only to hold
# locks. A script run by a visitor is held to the same keys and commands. Whoever has no password here has no account.
#
#   REDIS_PASSWORD                                                          the owner's; must be set
#   VISITOR_{ORDER,PAYMENT,STOCK,IDS}_PASSWORD                              the visitors'; unset or empty: no such visitor
#   REDIS_SERVER                                                            the program, default redis-server
#   arguments                                                               more settings, as redis-server takes them
#
# Passwords consist of letters, digits, "_" and "-". They reach Redis by its standard input, so that neither the process
# list nor a file shows them.
set -eu

connection='+ping +auth +hello +quit +info +select +client|setname +client|getname +client|id'
locks='(~lock:* +get +set +del +exists +pexpire +pttl +eval +evalsha) +script|load +script|exists'
log='(%R~log:* +xread +xrange +xrevrange +xlen +xinfo|stream)'

visitor() { # name password rules
  if [ -n "$2" ]; then echo "user $1 on >$2 resetkeys resetchannels -@all $connection $locks $3"; fi
}
listener() { # name password
  visitor "$1" "$2" "$log (~heard:*:$1 +get +set)"
}

users="requirepass ${REDIS_PASSWORD:?is missing: a Redis without a password is not started}
$(listener order "${VISITOR_ORDER_PASSWORD:-}")
$(listener payment "${VISITOR_PAYMENT_PASSWORD:-}")
$(listener stock "${VISITOR_STOCK_PASSWORD:-}")
$(visitor ids "${VISITOR_IDS_PASSWORD:-}" "")"

exec "${REDIS_SERVER:-redis-server}" "${0%/*}/redis.conf" "$@" - <<END
$users
END
