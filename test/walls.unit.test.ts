import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import test from 'ava'

const ROOT = resolve(import.meta.dirname, '..')
const SERVICES = ['ids', 'order', 'payment', 'stock'] as const
/** The rooms that run in production. */
const ROOMS = [...SERVICES, 'shared', 'gateway'] as const
/** What may lie on the first level, next to dotfiles and what git ignores. */
const TOP_LEVEL = [
  ...ROOMS,
  ...[
    'env',
    'test',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'docker-compose.yml',
    'README.md',
    'LICENSE',
  ],
]

type File = {
  /** From the root of the repository, with slashes. */
  readonly path: string
  readonly room: string
  readonly text: string
  /** Without comments. */
  readonly code: string
}

const withoutComments = (path: string, text: string): string =>
  path.endsWith('.lua')
    ? text.replace(/--.*$/gm, '')
    : text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')

const filesOf = (room: string): readonly File[] =>
  readdirSync(join(ROOT, room), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|lua)$/.test(entry.name))
    .map((entry) => {
      const path = relative(ROOT, join(entry.parentPath, entry.name)).replaceAll(sep, '/')
      const text = readFileSync(join(ROOT, path), 'utf8')
      return { path, room, text, code: withoutComments(path, text) }
    })

const files = ROOMS.flatMap(filesOf)
const sources = files.filter(({ path }) => path.endsWith('.ts'))
const luaFiles = files.filter(({ path }) => path.endsWith('.lua'))
const everything = [...files, ...['env', 'test'].flatMap(filesOf)]

/** What a file imports of the shop, from the root, and the packages it imports. */
const importsOf = ({ path, code }: File): readonly string[] =>
  [...code.matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name = '']) =>
    name.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(path), name)).replaceAll(sep, '/') : name,
  )

const matching = (among: readonly File[], pattern: RegExp, part: 'text' | 'code' = 'code'): readonly string[] =>
  among.filter((file) => pattern.test(file[part])).map((file) => `${file.path}: ${pattern.exec(file[part])?.[0]}`)

for (const room of ROOMS) {
  const neighbours = room === 'shared' ? ['shared'] : [room, 'shared']
  test(`${room} imports ${neighbours.join(' and ')}, and no other room`, (t) => {
    const own = sources.filter((file) => file.room === room)
    t.not(own.length, 0)
    const strangers = own.flatMap((file) =>
      importsOf(file)
        .filter((name) => name.endsWith('.ts') && !neighbours.some((neighbour) => name.startsWith(`${neighbour}/`)))
        .map((name) => `${file.path} imports ${name}`),
    )
    t.deepEqual(strangers, [])
  })
}

const sharedRooms = files.filter(({ path }) => path.startsWith('shared/') && !path.startsWith('shared/contract/'))

test('shared speaks of no service and of nothing that is sold, but in the contract', (t) => {
  t.deepEqual(matching(sharedRooms, /\w*(payment|stock|checkout|wallet|credit|invoice|refund)\w*/i, 'text'), [])
})

test('shared has no noun of a service in its code, but in the contract', (t) => {
  // A sentence may speak of an order of things, and of the user of a machine.
  const bare = sharedRooms.map((file) => ({
    ...file,
    code: file.code.replace(/(['"`])[^'"`\n]* [^'"`\n]*\1/g, "''"),
  }))
  t.deepEqual(matching(bare, /\b(order|item|user|shelf)(s|Id|_id)?\b/), [])
})

test('only a main sees the process', (t) => {
  const others = sources.filter(({ path }) => basename(path) !== 'main.ts')
  t.deepEqual(matching(others, /(from|import\()\s*'(node:)?process'|globalThis\.process/), [])
  const given = others.filter(({ code }) => !/\bprocess: NodeJS\.Process\b/.test(code))
  t.deepEqual(matching(given, /\bprocess\.\w+/), [])
  t.deepEqual(
    others.filter((file) => !given.includes(file)).map(({ path }) => path),
    ['shared/process/lifecycle.ts'],
  )
})

test('in a service only the store speaks to a Redis, and only it and the Lua files name keys', (t) => {
  const others = sources.filter(
    ({ room, path }) => SERVICES.some((service) => service === room) && basename(path) !== 'store.ts',
  )
  t.not(others.length, 0)
  t.deepEqual(
    others.flatMap((file) =>
      importsOf(file)
        .filter((name) => name === 'ioredis')
        .map(() => file.path),
    ),
    [],
  )
  t.deepEqual(matching(others, /\bredis\.(?!ts)\w+\(|\b(logKey|heardKey)\b/), [])
  t.deepEqual(matching(others, /['"`](saga|item|lease|waiting|log|entries|heard|request|dead):/), [])
})

/** What stands before an opening bracket, from the innermost to the outermost of those that are open at this place. */
const openCallsAt = (code: string, at: number): readonly string[] => {
  const calls: string[] = []
  let depth = 0
  for (let index = at - 1; index >= 0; index -= 1) {
    if (code[index] === ')') depth += 1
    if (code[index] !== '(') continue
    if (depth > 0) depth -= 1
    else calls.push(/[\w#.]*$/.exec(code.slice(0, index).replace(/<[^<>]*>$/, ''))?.[0] ?? '')
  }
  return calls
}

test('whatever touches another process is a step with a name', (t) => {
  const touches =
    /\b(redis|blocking|reporting|subscriber|locks|client|#poller|axios)\.(?!ts\b|on\b|off\b|once\b|status\b|options\b|disconnect\b|destroy\b|create\b|stream\b|connect\b)[a-z]+(<[^<>]*>)?\(/g
  // These are called by steps: a script, a survey of settings and a comparison in one, a node by the verbs of RedLock.
  const within = [
    'shared/redis/script.ts',
    'shared/redis/connection.ts',
    'shared/log/tail-loss.ts',
    'shared/lock/node.ts',
  ]
  const found = sources.flatMap((file) =>
    [...file.code.matchAll(touches)].map((match) => {
      const isStep = openCallsAt(file.code, match.index).some((call) => /(^|[.#])step$/.test(call))
      return { isStep, where: `${file.path}: ${match[0]}` }
    }),
  )
  t.true(found.filter(({ isStep }) => isStep).length > 20)
  t.deepEqual(
    found
      .filter(({ isStep, where }) => !isStep && !within.some((one) => where.startsWith(one)))
      .map(({ where }) => where),
    [],
  )
  const opened = sources
    .filter(({ path }) => path !== 'shared/redis/connection.ts')
    .flatMap((file) => [...file.code.matchAll(/\bassertDurable\(/g)].map(({ index }) => openCallsAt(file.code, index)))
  t.true(opened.length > 0)
  for (const calls of opened) t.true(calls.includes('step'))
})

test('a package that speaks to another process is imported where its steps are, and nowhere else', (t) => {
  const importersOf = (name: string): readonly string[] =>
    sources.filter(({ code }) => new RegExp(`^import (?!type ).*'${name}'`, 'm').test(code)).map(({ path }) => path)
  t.deepEqual(importersOf('axios'), ['shared/http/client.ts'])
  t.deepEqual(importersOf('redlock'), ['shared/lock/redlock.ts'])
  t.deepEqual(importersOf('undici'), ['gateway/proxy/replica.ts'])
  t.deepEqual([...importersOf('ioredis')].sort(), ['shared/lock/node.ts', 'shared/redis/connection.ts'])
})

test('a store is reached only by its own main and routes, and by what it is handed to', (t) => {
  const importers = sources.flatMap((file) =>
    importsOf(file)
      .filter((name) => name.endsWith('/store.ts') && !name.startsWith(`${file.room}/`))
      .map(() => file.path),
  )
  t.deepEqual(importers, [])
})

test('no files import each other in a circle', (t) => {
  const imports = new Map(everything.map((file) => [file.path, importsOf(file)]))
  const known = new Set<string>()
  const circlesFrom = (path: string, trail: readonly string[]): readonly string[] => {
    if (trail.includes(path)) return [[...trail.slice(trail.indexOf(path)), path].join(' > ')]
    if (known.has(path)) return []
    const found = (imports.get(path) ?? []).flatMap((next) => circlesFrom(next, [...trail, path]))
    known.add(path)
    return found
  }
  t.deepEqual(
    [...imports.keys()].flatMap((path) => circlesFrom(path, [])),
    [],
  )
})

test('no file is named for holding whatever has no place', (t) => {
  const nameless = everything.filter(({ path }) =>
    /^(utils?|helpers?|common|types|misc|index|constants)\.(ts|lua)$/.test(basename(path)),
  )
  t.deepEqual(nameless, [])
})

test('what a file exports is its own: there are no barrels', (t) => {
  t.deepEqual(matching(sources, /^export (\*|(type )?\{).*$/m), [])
})

test('no syntax is used that is not erased: enum, namespace, parameter property', (t) => {
  const typescript = everything.filter(({ path }) => path.endsWith('.ts') && path !== 'test/walls.unit.test.ts')
  t.deepEqual(matching(typescript, /^\s*(export )?(declare )?(const )?(enum|namespace|module) \w+ *\{/m), [])
  t.deepEqual(matching(typescript, /constructor\([^)]*\b(private|public|protected|readonly)\b/), [])
})

test('no module holds state that changes', (t) => {
  t.deepEqual(matching(sources, /^(export )?(let|var) .*$/m), [])
})

test('every Lua file is used', (t) => {
  const included = new Set(
    luaFiles.flatMap(({ room, text }) =>
      // What a deed of all services includes may be each service's own.
      [...text.matchAll(/^--- @include "([a-z-]+)"$/gm)].flatMap(([, name]) =>
        [...(room === 'shared' ? SERVICES : [room]), 'shared'].map((place) => `${place}/${name}.lua`),
      ),
    ),
  )
  const unused = luaFiles.filter(({ path, room }) => {
    const callers = sources.filter((file) => room === 'shared' || file.room === room)
    const name = basename(path, '.lua')
    return !included.has(`${room}/${basename(path)}`) && !callers.some(({ code }) => code.includes(`'${name}'`))
  })
  t.not(luaFiles.length, 0)
  t.deepEqual(
    unused.map(({ path }) => path),
    [],
  )
})

test('every Lua file lies in the lua folder of its room', (t) => {
  for (const { path } of luaFiles) t.regex(path, /^(shared\/[a-z]+|[a-z]+(\/[a-z]+)?)\/lua\/[a-z-]+\.lua$/)
})

test('a test says in its name what it needs', (t) => {
  const tests = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\.test\.ts$/.test(path),
  )
  const known = /\.(unit|redis|e2e|property)\.test\.ts$/
  t.deepEqual(
    tests.filter((path) => !known.test(path)),
    [],
  )
})

test('the first level holds the rooms, and nothing that has no place', (t) => {
  const ignored = readFileSync(join(ROOT, '.gitignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => new RegExp(`^${line.replace(/\/$/, '').replaceAll('.', '\\.').replaceAll('*', '.*')}$`))
  const found = readdirSync(ROOT).filter(
    (name) => !name.startsWith('.') && !ignored.some((pattern) => pattern.test(name)) && !TOP_LEVEL.includes(name),
  )
  t.deepEqual(found, [])
})
