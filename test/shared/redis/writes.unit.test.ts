/**
 * What does a command write? A script whose commands say that they write nothing is also run by a Redis that is out of memory, so
 * whatever only asks must say so, and nothing else may. Read from the files, through all that they include and call.
 */
import test from 'ava'
import { luaCommands } from '../../support/shop/lua-command.ts'

const READS =
  /^(GET|MGET|HGET|HMGET|HGETALL|HKEYS|HLEN|EXISTS|HEXISTS|ZRANGE|ZRANGEBYSCORE|ZRANGEBYLEX|ZSCORE|ZCARD|XRANGE|XREVRANGE|LRANGE|LINDEX|LLEN|XINFO|XLEN|SCAN|SMEMBERS|SISMEMBER|SCARD|TIME|TTL|PTTL|PEXPIRETIME|STRLEN|TYPE)$/
const FREES = /^(ZREM|HDEL|DEL|UNLINK|SREM|XTRIM|XDEL|EXPIRE|PEXPIRE)$/
/** These gather what is written at the script's end. */
const GATHER = ['post', 'post_all', 'post_lines', 'keep_open', 'finish']

/** The functions of a text by their names, each with its body, and what it is wrapped in, with what is given to that beside it. */
const functionsOf = (code: string): ReadonlyMap<string, string> =>
  new Map(
    [
      ...code.matchAll(
        /^(?:local )?(?:function ([\w.]+)|commands\['([\w-]+)'\] = ([\w(]*)function)\(([\s\S]*?)^end(, \w+)?\)?$/gm,
      ),
    ].map(
      ([, name, quoted, within = '', body, beside = '']) =>
        [name ?? `commands['${quoted}']`, `${within}${body}${beside}(`] as const,
    ),
  )

/** Every call of Redis that a function may make, itself or by what it calls. */
const callsOf = (name: string, functions: ReadonlyMap<string, string>, seen = new Set<string>()): string[] => {
  if (seen.has(name)) return []
  seen.add(name)
  if (GATHER.includes(name)) return ['gathered']
  const body = functions.get(name) ?? ''
  const own = [...body.matchAll(/redis\.call\(\s*'([A-Za-z]+)'/g)].map(([, call = '']) => call.toUpperCase())
  const called = [...functions.keys()].filter((other) => body.includes(`${other}(`) || body.includes(`${other},`))
  return [...own, ...called.flatMap((other) => callsOf(other, functions, seen))]
}

/** What may take a little, for a record that is set aside, where it takes away much. */
const FREES_MORE = ['trim']

const COMMANDS = (['shared', 'ids', 'order', 'payment', 'stock'] as const).flatMap(luaCommands)

/** What is asked for only that its answer be remembered: `do` writes that, so its script is no script that only asks. */
const REMEMBERED = "the answer under the request's key"

const saysOf = (text: string): string | undefined => /^-- WRITES\s+(.*)$/m.exec(text)?.[1]

for (const { name, place, text, whole } of COMMANDS)
  test(`${place}: ${name} says truly what it writes`, (t) => {
    const functions = functionsOf(whole)
    const calls = callsOf(functions.has(`commands.${name}`) ? `commands.${name}` : `commands['${name}']`, functions)
    t.true(calls.length > 0 || saysOf(text) === REMEMBERED)
    const writes = calls.filter((call) => !READS.test(call))
    const expected = writes.length === 0 ? 'nothing' : 'nothing that takes memory'
    if (saysOf(text) === REMEMBERED) t.deepEqual(writes, [])
    else if (FREES_MORE.includes(name)) t.is(saysOf(text), 'less than it frees', writes.join())
    else if (writes.every((call) => FREES.test(call))) t.is(saysOf(text), expected, writes.join())
    else t.is(saysOf(text), undefined, writes.join())
  })
