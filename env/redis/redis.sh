#!/bin/sh
# Starts one Redis of the shop, with its users: used by docker-compose.yml and by env/local/shop.ts alike. It is called by its path.
#
# The owner, Redis's default user, may do everything. A *subscriber* (order, payment, stock) visits a peer's Redis to
# read its log, to report how far it has read (under its own name only), and to hold locks; a *locker* (ids) only to hold
# locks. A script run by a visitor is held to the same keys and commands. Whoever has no password here has no account.
#
#   REDIS_PASSWORD                                                          the owner's; must be set
#   VISITOR_{ORDER,PAYMENT,STOCK,IDS}_PASSWORD                              the visitors'; unset or empty: no such visitor
#   ALLOW_DEV_PASSWORDS                                                     yes: also with the passwords of env/*.env
#   REDIS_SERVER                                                            the program, default redis-server
#   arguments                                                               more settings, as redis-server takes them
#
# Passwords consist of letters, digits, "_" and "-". They reach Redis by its standard input, so that neither the process
# list nor a file shows them.
#
# One Redis at a time works in a folder: where the system has flock(1), it holds a lock in it that ends with it. A tail of
# zeros that loss of power left in the append-only file is cut off.
set -eu

connection='+ping +auth +hello +quit +info +select +client|setname +client|getname +client|id'
locks='(~lock:* +get +mget +set +del +exists +pexpire +pttl +eval +evalsha) +script|load +script|exists'
log='(%R~log:* +xread +xrange +xrevrange +xlen +xinfo|stream)'

visitor() { # name password rules
  if [ -n "$2" ]; then echo "user $1 on >$2 resetkeys resetchannels -@all $connection $locks $3"; fi
}
subscriber() { # name password
  visitor "$1" "$2" "$log (~heard:*:$1 +get +set)"
}

case "${ALLOW_DEV_PASSWORDS:-no} ${REDIS_PASSWORD:-}" in
  yes*) ;;
  *' dev-'*)
    echo 'REDIS_PASSWORD is one that everybody knows ("dev-..."): change it, or say ALLOW_DEV_PASSWORDS=yes to try the shop' >&2
    exit 1
    ;;
esac

users="requirepass ${REDIS_PASSWORD:?is missing: a Redis without a password is not started}
$(subscriber order "${VISITOR_ORDER_PASSWORD:-}")
$(subscriber payment "${VISITOR_PAYMENT_PASSWORD:-}")
$(subscriber stock "${VISITOR_STOCK_PASSWORD:-}")
$(visitor ids "${VISITOR_IDS_PASSWORD:-}" "")"

folder=.
previous=
for argument in "$@"; do
  if [ "$previous" = --dir ]; then folder=$argument; fi
  previous=$argument
done

# The lock stays with descriptor 9, which Redis inherits. One that was told to end may need a moment.
if command -v flock >/dev/null; then
  exec 9>>"$folder/redis.lock"
  patience=5
  until flock -n 9; do
    if [ "$patience" -eq 0 ]; then
      echo "another Redis works in $folder: end it first" >&2
      exit 1
    fi
    patience=$((patience - 1))
    sleep 1
  done
fi

# Zeros after the last command were never acknowledged, and no command ends with one; but Redis, which cuts off a torn tail by
# itself, refuses to start on them.
manifest=$folder/appendonlydir/appendonly.aof.manifest
newest=
if [ -r "$manifest" ]; then newest=$(sed -n 's/^file \([^ ]*\) .*type i.*/\1/p' "$manifest" | tail -n 1); fi
file=$folder/appendonlydir/$newest
while [ -f "$file" ] && [ "$(tail -c 1 "$file" | od -An -tx1 | tr -d ' ')" = 00 ]; do
  zeros=$(tail -c 65536 "$file" | od -An -v -tx1 | awk '{ for (i = 1; i <= NF; i++) n = $i == "00" ? n + 1 : 0 } END { print n }')
  echo "$file ends with zeros, as after a loss of power: $zeros bytes are cut off"
  dd if=/dev/null of="$file" bs=1 seek="$(($(wc -c <"$file") - zeros))" count=0 2>/dev/null
done

exec "${REDIS_SERVER:-redis-server}" "${0%/*}/redis.conf" "$@" - <<END
$users
END
