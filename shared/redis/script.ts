/**
 * How is a Lua file called?
 *
 * A *command* is one Lua file, `<room>/lua/<verb>.lua`, that defines `commands['<verb>'](args)`: it checks everything
 * first, then writes the new state and appends an entry, and returns a reply whose first text is its result: what happened.
 * What a command shares with others it names in a line `--- @include "name"`, found among the files of the
 * service or beside a room of `shared`. What it needs rarely it names in a line `--- @rarely "name"`, and calls it as
 * `rarely.function(...)`, as which it is defined there.
 *
 * A *script* is what Redis runs: the names of the service and what it emits as Lua tables, the includes once each, some commands,
 * and a main part: `do` (one command, asked for by requests), `ask` (one query) or `apply` (a batch of a peer's entries).
 * Redis runs all of it whenever the script is called, and each function that is defined costs a fifth of a microsecond. So what is
 * needed rarely, and of several commands those that do not say `--- @often`, is defined only when it is called first; and a function
 * that nothing in a script calls is left out of it.
 * Scripts are called by EVALSHA and loaded by one EVAL where the server does not know them (yet, or any more). The `#!lua` line
 * makes Redis refuse a script as a whole, before it begins, when it is out of memory or cannot write its file; but not one
 * whose commands all have a line `-- WRITES   nothing`: they only ask, and Redis holds them to it. One with `nothing that
 * takes memory` only takes away, and runs also out of memory; so does one with `less than it frees`.
 *
 * Keys are built from `names`, not passed one by one: each service owns one Redis that is no cluster.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Redis } from 'ioredis'

/** What a command returned: a result, and what belongs to it. */
export type Reply = readonly [result: string, ...rest: string[]]

/**
 * For which request a command runs: under which `Idempotency-Key`, in one line, and for whom; a command that may be late: see
 * `shared/log/fence.ts`.
 */
export type Once = {
  readonly idempotencyKey: string | undefined
  readonly fingerprint: string
  /** Whose things alone it may see and change; everybody's by default. Another's are to it as if there were none. */
  readonly owner?: string | undefined
  /** By whom the entries say that it was done, if they do: without blanks. */
  readonly doneBy?: string | undefined
  /** Of which sampled trace it is, as `traceparent` has it. */
  readonly trace?: string | undefined
  /** The token of the lock under which it is to be done: see `shared/log/lua/lock-token.lua`. */
  readonly lockToken?: string | undefined
  /** Has the client gone? It may have asked another replica since. */
  readonly isGone?: () => boolean
  /** Is it repeated without a key, where its outcome is unknown? Then it must not be done late either: see `shared/log/fence.ts`. */
  readonly isRepeated?: boolean
  /** The time of the own Redis as it was read for this request. */
  readonly readMs?: number
}

/** Runs the script with its arguments. The reply is what the main part returns. */
export type Script = (redis: Redis, args: readonly (string | number)[]) => Promise<unknown>

export type ScriptParts = {
  /** The folders of the service's commands. */
  readonly lua: readonly URL[]
  /** The verbs of the commands that the script can run. */
  readonly commands: readonly string[]
  /** The part that reads the arguments and calls the commands: a file of `shared`. */
  readonly main: string
  /** Tables of constants that the Lua code sees, by name: key names, what is emitted for which state, limits. */
  readonly tables: Readonly<Record<string, Readonly<Record<string, string | number>>>>
  /** By which file of the service a file of `shared` is completed: it comes right after it. */
  readonly supplies?: Readonly<Record<string, string>>
  /** Lua functions that follow from data, which come behind the constants. */
  readonly functions?: readonly string[]
}

const SHARED = join(import.meta.dirname, '..')
/** The Lua files of `shared`, each beside the room that owns it, by their names: no two have the same. */
const SHARED_LUA: ReadonlyMap<string, string> = new Map(
  readdirSync(SHARED)
    .map((room) => join(SHARED, room, 'lua'))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((file) => [basename(file, '.lua'), join(folder, file)] as const)),
)
const INCLUDE = /^--- @include "([a-z-]+)"$/gm
const RARELY = /^--- @rarely "([a-z-]+)"$/gm
const OFTEN = /^--- @often$/m
const WRITES = /^-- WRITES {3}(nothing|nothing that takes memory|less than it frees)$/m

const readLua = (name: string, folders: readonly URL[]): string => {
  const own = folders.map((folder) => new URL(`${name}.lua`, folder)).find((file) => existsSync(file))
  const found = own ?? SHARED_LUA.get(name)
  if (found !== undefined) return readFileSync(found, 'utf8')
  const places = [...folders.map(({ pathname }) => pathname), SHARED]
  throw new Error(`there is no ${name}.lua in ${places.join(' or ')}`)
}

const luaTable = (name: string, table: Readonly<Record<string, string | number>>): string =>
  `local ${name} = {${Object.entries(table)
    .map(([key, value]) => `[${JSON.stringify(key)}]=${JSON.stringify(value)}`)
    .join(',')}}`

// Comments stay in the files: Redis keeps the text of every script.
const withoutComments = (body: string): string =>
  body
    .replace(/^\s*--.*$/gm, '')
    .replace(/\n{2,}/g, '\n')
    .trim()

/**
 * A Lua file of `shared` that is a script by itself. It has no `#!lua` line, so that out of memory it is not refused as a
 * whole: what frees memory is still done.
 */
export const sharedScript = (name: string): string => withoutComments(readLua(name, []))

const FUNCTION = /^local function (\w+)\((?:.* end$|.*\n(?:.*\n)*?end$)/gm
const NAME = /[A-Za-z_]\w*/g

/** Leaves out the functions that nothing calls, nor what calls them. Each begins and ends at the beginning of a line. */
const withoutUncalled = (text: string): string => {
  const functions = new Map<string, string[]>()
  const rest = text.replace(FUNCTION, (body, name: string) => {
    functions.set(name, [...(functions.get(name) ?? []), body])
    return ''
  })
  const called = new Set<string>()
  const follow = (code: string): void => {
    for (const [name] of code.matchAll(NAME)) {
      if (called.has(name)) continue
      const bodies = functions.get(name)
      if (bodies === undefined) continue
      called.add(name)
      bodies.forEach(follow)
    }
  }
  follow(rest)
  return text.replace(FUNCTION, (body, name: string) => (called.has(name) ? body : '')).replace(/\n{2,}/g, '\n')
}

const firstLine = (writes: ReadonlySet<string | undefined>): string => {
  if (writes.size === 0 || writes.has(undefined)) return '#!lua'
  return writes.size === 1 && writes.has('nothing') ? '#!lua flags=no-writes' : '#!lua flags=allow-oom'
}

/**
 * The tables of what is called by name, and how what is missing in them is defined: all of it at once, as the last thing that stands
 * before the main part.
 */
const PRELUDE = `local define
local missing = { __index = function(all, name)
if define then
local rest = define
define = nil
rest()
return rawget(all, name)
end
end }
local commands, queries, rarely = setmetatable({}, missing), {}, setmetatable({}, missing)`

/** Puts the parts together: each file once, what is included before what includes it. */
export const compose = ({ lua, commands, main, tables, supplies = {}, functions = [] }: ScriptParts): string => {
  const bodies = new Map<string, string>()
  const bodyOf = (name: string): string => {
    const body = bodies.get(name) ?? readLua(name, lua)
    bodies.set(name, body)
    return body
  }
  const seen = new Set<string>()
  const rare = new Set<string>()
  const addTo = (text: string[], name: string): void => {
    if (seen.has(name)) return
    seen.add(name)
    const body = bodyOf(name)
    for (const [, included = ''] of body.matchAll(INCLUDE)) addTo(text, included)
    for (const [, named = ''] of body.matchAll(RARELY)) rare.add(named)
    text.push(withoutComments(body))
    const supplied = supplies[name]
    if (supplied !== undefined) addTo(text, supplied)
  }

  const atOnce: string[] = []
  for (const command of commands)
    if (commands.length === 1 || OFTEN.test(bodyOf(command))) addTo(atOnce, command)
    else rare.add(command)
  addTo(atOnce, main)
  const mainPart = atOnce.pop() ?? ''
  const rest: string[] = []
  // It grows meanwhile.
  for (const name of rare) addTo(rest, name)

  const writes = new Set(commands.map((command) => WRITES.exec(bodyOf(command))?.[1]))
  const constants = Object.entries(tables).map(([name, table]) => luaTable(name, table))
  const later = rest.length === 0 ? [] : ['define = function()', ...rest, 'end']
  return withoutUncalled(
    [firstLine(writes), ...constants, ...functions, PRELUDE, ...atOnce, ...later, mainPart].join('\n'),
  )
}

/** Makes a callable script of a Lua text. Errors of Redis pass unchanged. */
export const script = (text: string): Script => {
  const sha = createHash('sha1').update(text).digest('hex')
  return async (redis, args) => {
    try {
      return await redis.evalsha(sha, 0, ...args)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return await redis.eval(text, 0, ...args)
    }
  }
}
