import { existsSync, readdirSync, readFileSync } from 'node:fs'
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
/** With what starts and asks a shop. */
const shipped = [...files, ...filesOf('env')]
const everything = [...shipped, ...filesOf('test')]

type Import = {
  readonly from: string
  /** From the root if it is a file of the shop, else the name of a package. */
  readonly name: string
  /** Erased before the program runs. */
  readonly isType: boolean
}

const IMPORT =
  /\b(?:(import|export)\s+(type\s)?((?:(?!\b(?:import|export)\s)[^'])*?)\bfrom\s*|import\s*\(?\s*)'([^']+)'/g

const importsFrom = ({ path, code }: File): readonly Import[] =>
  [...code.matchAll(IMPORT)].map(([, , type, names = '', name = '']) => ({
    from: path,
    name: name.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(path), name)).replaceAll(sep, '/') : name,
    isType: type !== undefined || /^\{(?:\s*type\s+[^,}]+,?)+\s*\}\s*$/.test(names),
  }))

const importsOf = (file: File): readonly string[] => importsFrom(file).map(({ name }) => name)

const matching = (among: readonly File[], pattern: RegExp, part: 'text' | 'code' = 'code'): readonly string[] =>
  among.filter((file) => pattern.test(file[part])).map((file) => `${file.path}: ${pattern.exec(file[part])?.[0]}`)

/**
 * On which floor does a room stand? An import goes down, or stays in the room: so two rooms of one floor do not know each
 * other. The last line that fits a file is its room.
 */
const FLOORS: readonly (readonly [room: RegExp, floor: number])[] = [
  [/^shared\/(contract)\//, 1],
  [/^shared\/(errors\.ts)$/, 1],
  [/^shared\/(process)\//, 2],
  [/^shared\/(redis)\//, 2],
  [/^shared\/(metrics)\//, 2],
  [/^shared\/(http)\//, 3],
  [/^shared\/(lock)\//, 3],
  [/^shared\/(health)\//, 4],
  [/^shared\/(log)\//, 4],
  [/^shared\/(saga)\//, 5],
  [/^shared\/(audit)\//, 6],
  [/^shared\/(operator)\//, 7],
  [/^shared\/(settings\.ts)$/, 7],
  [/^shared\/(service\.ts)$/, 8],
  [/^(ids|order|payment|stock)\//, 9],
  [/^payment\/(documents)\//, 8],
  [/^ids\/(lock)\//, 8],
  [/^order\/(checkout)\//, 10],
  [/^order\/(audit)\//, 10],
  [/^order\/(cancel\/lua)\//, 11],
  [/^(?:ids|order|payment|stock)\/(routes\.ts)$/, 11],
  [/^(?:ids|order|payment|stock)\/(main\.ts)$/, 12],
  [/^gateway\/(limits)\//, 8],
  [/^gateway\/(proxy)\//, 9],
  [/^gateway\/(auth)\//, 9],
  [/^(gateway)\/(?!auth\/|proxy\/|limits\/|main\.ts$)/, 10],
  [/^gateway\/(main\.ts)$/, 11],
]

const roomOf = (path: string): { readonly room: string; readonly floor: number } | undefined =>
  FLOORS.flatMap(([room, floor]) => {
    const [found] = room.exec(path) ?? []
    return found === undefined ? [] : [{ room: found, floor }]
  }).at(-1)

/**
 * What may these files import of the shop? Of types, which are erased, perhaps more. Beside each wall stand the imports for
 * which there is no better place yet.
 */
type Wall = {
  readonly what: string
  readonly who: RegExp
  readonly may: RegExp
  /** Also these, if only as types. */
  readonly types?: RegExp
  readonly but?: readonly (readonly [from: RegExp, name: string])[]
}

const OWN = '(?:ids|order|payment|stock)\\/'
/** A store, or a part of one. */
const STORE = new RegExp(`^${OWN}store(\\.ts$|\\/)`)
const WALLS: readonly Wall[] = [
  {
    what: 'the client of locks is copied into other programs: it imports nothing but itself',
    who: /^ids\/lock\/client(\.ts$|\/)/,
    may: /^ids\/lock\/client\//,
  },
  {
    what: 'and so is the client of the shop',
    who: /^gateway\/client(\.ts$|\/)/,
    may: /^gateway\/client\//,
  },
  {
    what: 'a service imports of shared what all services are made of, and the contract; a log it only sees',
    who: new RegExp(`^${OWN}(?!main\\.ts$)`),
    may: new RegExp(
      `^(${OWN}|shared/(service\\.ts|settings\\.ts|errors\\.ts|contract/|http/|metrics/|audit/|saga/(log-parser|recovery)\\.ts|process/transient-map\\.ts|redis/command\\.ts))`,
    ),
    types: /^shared\/(saga|log|lock|redis)\//,
    but: [
      [/\/settings\.ts$/, 'shared/process/config.ts'],
      [/\/store\.ts$/, 'shared/log/log.ts'],
      [/\/store\.ts$/, 'shared/log/runner.ts'],
      [/^order\/store\/checkouts\.ts$/, 'shared/log/entry.ts'],
      // Webhooks are delivered over a connection of their own.
      [/^order\/store\/deliveries\.ts$/, 'shared/log/log.ts'],
      [/^order\/store\/deliveries\.ts$/, 'shared/log/runner.ts'],
      [/^order\/store\/deliveries\.ts$/, 'shared/log/entry.ts'],
      [/^order\/store\/(channel|deliveries)\.ts$/, 'shared/redis/connection.ts'],
      [
        /^order\/store\/(amendments|cancellations|cart|checkout-status|deliveries|listing|refunds|webhooks)\.ts$/,
        'shared/redis/reply.ts',
      ],
      [/^(ids\/(jobs|lock)|payment\/documents|stock)\/store\.ts$/, 'shared/redis/reply.ts'],
      [/^order\/audit\/audit\.ts$/, 'shared/log/entry.ts'],
      [/^order\/events\/feed\.ts$/, 'shared/log/entry.ts'],
      [/^ids\/lock\/lock-service\.ts$/, 'shared/log/entry.ts'],
      [/^order\/checkout\/(begin|in-time)\.ts$/, 'shared/log/fence.ts'],
      [/^ids\/dialects\/distributed-lock\.ts$/, 'shared/log/fence.ts'],
      [/^(payment|stock)\/routes\.ts$/, 'shared/operator/audit-routes.ts'],
    ],
  },
  {
    what: 'a main opens a process and a service besides',
    who: new RegExp(`^${OWN}main\\.ts$`),
    may: new RegExp(`^(${OWN}|shared/(service\\.ts|errors\\.ts|contract/|http/|process/))`),
    but: [
      [/./, 'shared/log/log-id.ts'],
      [/^order\//, 'shared/redis/connection.ts'],
    ],
  },
  {
    what: 'what is decided without a Redis and without HTTP imports the contract only',
    who: new RegExp(
      `^${OWN}(order|user|item|transitions|reactions|recovery|method|invoice|lock)\\.ts$|^shared/lock/quorum\\.ts$`,
    ),
    may: new RegExp(`^(${OWN}(order|user|item|transitions)\\.ts|shared/contract/)`),
    types: /^shared\/(saga|log)\//,
  },
  {
    what: 'the gateway is a process that speaks HTTP, and nothing else of shared',
    who: /^gateway\//,
    may: /^(gateway\/|shared\/(errors\.ts|contract\/services\.ts|process\/|metrics\/|http\/(caller|connections|etag|operators|problem|query|readiness|visitors)\.ts))/,
  },
]

/** A package that reaches out of the process, or that all would have to follow, has one place. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  '@koa/router': /^shared\/http\/routing\.ts$/,
  '@opentelemetry/api': /^shared\/process\/tracing\.ts$/,
  '@opentelemetry/exporter-trace-otlp-http': /^shared\/process\/tracing\.ts$/,
  '@opentelemetry/resources': /^shared\/process\/tracing\.ts$/,
  '@opentelemetry/sdk-trace': /^shared\/process\/tracing\.ts$/,
  axios: /^shared\/http\/client\.ts$/,
  htm: /^gateway\/console\//,
  ioredis: /^shared\/(redis\/|lock\/node\.ts$)/,
  jose: /^gateway\/auth\//,
  koa: /^shared\/http\/(routing|server)\.ts$/,
  nanoid: /./, // reaches nothing
  'node-cron': /^shared\/saga\/schedule\.ts$/,
  pino: /^shared\/process\//,
  'prom-client': /^shared\/metrics\/exposition\.ts$/,
  'swagger-ui-dist': /^gateway\/docs\//,
  redlock: /^shared\/lock\/(ballot|redlock)\.ts$/,
  undici: /^gateway\/proxy\//,
  uplot: /^gateway\/console\//,
  valibot: /^shared\/(contract|http)\/|\/(api|schemas)\.ts$/,
}

const ofTheShop = sources.flatMap(importsFrom).filter(({ name }) => name.endsWith('.ts'))
const told = (imports: readonly Import[]): readonly string[] =>
  imports.map(({ from, name }) => `${from} imports ${name}`)

/** Which file a name in an `@include` stands for: one of the same house, else one of shared. */
const included = ({ room, text }: File): readonly { readonly name: string; readonly found: File | undefined }[] =>
  [...text.matchAll(/^--- @(?:include|rarely) "([a-z-]+)"$/gm)].map(([, name = '']) => {
    const named = (house: string) =>
      luaFiles.find((file) => file.room === house && basename(file.path) === `${name}.lua`)
    return { name, found: named(room) ?? named('shared') }
  })

test('every file that runs in production stands in a room with a floor', (t) => {
  t.deepEqual(
    sources.map(({ path }) => path).filter((path) => roomOf(path) === undefined),
    [],
  )
})

for (const room of ROOMS) {
  const rooms = room === 'shared' ? ['shared'] : [room, 'shared']
  test(`${room} imports ${rooms.join(' and ')}, and no other room`, (t) => {
    const own = ofTheShop.filter(({ from }) => from.startsWith(`${room}/`))
    t.not(own.length, 0)
    t.deepEqual(told(own.filter(({ name }) => !rooms.some((one) => name.startsWith(`${one}/`)))), [])
  })
}

test('an import goes down, or stays in its room', (t) => {
  const isAllowed = ({ from, name }: Import): boolean => {
    const [above, below] = [roomOf(from), roomOf(name)]
    return above !== undefined && below !== undefined && (below.floor < above.floor || below.room === above.room)
  }
  t.deepEqual(told(ofTheShop.filter((one) => !isAllowed(one))), [])
})

for (const { what, who, may, types, but = [] } of WALLS)
  test(what, (t) => {
    const own = ofTheShop.filter(({ from }) => who.test(from))
    const strangers = own.filter(({ name, isType }) => !may.test(name) && !(isType && types?.test(name) === true))
    const isOf = ([whose, other]: readonly [from: RegExp, name: string], { from, name }: Import): boolean =>
      whose.test(from) && name === other
    t.deepEqual(told(strangers.filter((one) => !but.some((exception) => isOf(exception, one)))), [])
    const idle = but.filter((exception) => !strangers.some((one) => isOf(exception, one)))
    t.deepEqual(idle, [], 'an exception that nothing needs')
  })

test('a package that runs in production has its place', (t) => {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { dependencies: object }
  t.deepEqual(
    Object.keys(dependencies).filter((name) => !Object.hasOwn(PACKAGES, name)),
    [],
  )
  const strangers = sources
    .flatMap(importsFrom)
    .filter(({ name, isType }) => !isType && !name.endsWith('.ts') && !name.startsWith('node:'))
    .filter(({ from, name }) => PACKAGES[name]?.test(from) !== true)
  t.deepEqual(told(strangers), [])
})

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
  const others = sources.filter(({ room, path }) => SERVICES.some((service) => service === room) && !STORE.test(path))
  t.not(others.length, 0)
  t.deepEqual(
    others.flatMap((file) =>
      importsOf(file)
        .filter((name) => name === 'ioredis')
        .map(() => file.path),
    ),
    [],
  )
  t.deepEqual(matching(others, /\bredis\.(?!ts)\w+\(|\b(logKey|ackedKey)\b/), [])
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
  // These are called by steps: a script, a survey of settings and a comparison in one, a node by the verbs of RedLock. What a
  // table becomes is a part of scripts.
  const within = [
    'shared/log/saga-table.ts',
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

test('a store is reached only by its own main and routes, and by what it is handed to', (t) => {
  const importers = sources.flatMap((file) =>
    importsOf(file)
      .filter((name) => STORE.test(name) && !name.startsWith(`${file.room}/`))
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

/** A file is read at one sitting, and a function on one screen and a half. */
const FILE_LINES_MAX = 300
/** But for what is written by a program. */
const WRITTEN = ['gateway/client/contract.ts']
const FUNCTION_LINES_MAX = 80
/** The code is 120 columns wide, by its formatter. */
const COMMENT_COLUMNS_MAX = 140

const indentOf = (line = ''): number => /^ */.exec(line)?.[0].length ?? 0
/** A line with which the head of a function ends, as the formatter leaves it, and none of a statement. */
const HEAD = /(=>|=> [[({]+|\) \{|\)?: [\w<>[\]. |]+ \{)$/
const STATEMENT =
  /^\s*(\} )?(else|if|for|while|switch|catch|do|try|finally|export type|export interface|type|interface|class|export class)\b/

/** Functions of several lines: each begins and ends at the same indentation, for so the formatter has it. */
const functionsOf = ({ path, text }: File): readonly { readonly name: string; readonly lines: number }[] => {
  const lines = text.split('\n')
  const closes = (at: number, indent: number): boolean =>
    indentOf(lines[at]) === indent && /^\s*[\])}]/.test(lines[at] ?? '')
  return lines.flatMap((line, at) => {
    if (!HEAD.test(line) || STATEMENT.test(line)) return []
    const indent = indentOf(line)
    let first = at
    while (first > 0 && (closes(first, indent) || indentOf(lines[first]) !== indent || lines[first] === '')) first -= 1
    const next = lines.findIndex((one, place) => place > at && one !== '' && indentOf(one) <= indent)
    const last = closes(next, indent) ? next : next - 1
    const [, name = line.trim()] =
      /^\s*(?:export )?(?:const |function |async |get )*#?([\w$]+)/.exec(lines[first] ?? '') ?? []
    return [{ name: `${path}: ${name}`, lines: last - first + 1 }]
  })
}

test('no file has more lines than are read at one sitting', (t) => {
  const long = shipped.filter(({ text }) => text.split('\n').length - 1 > FILE_LINES_MAX).map(({ path }) => path)
  t.deepEqual(long, WRITTEN)
})

test('problems of one type have one status', (t) => {
  const built = sources.flatMap(({ code }) => [...code.matchAll(/\bproblem(?:Kind)?\(\s*(\d{3}),\s*'([a-z-]+)'/g)])
  t.true(built.length > 100)
  const statuses = Map.groupBy(built, ([, , type = '']) => type)
  const differing = [...statuses].filter(([, all]) => new Set(all.map(([, status]) => status)).size > 1)
  t.deepEqual(
    differing.map(([type]) => type),
    [],
  )
})

test('no comment is wider than is read without moving the eyes far', (t) => {
  const code = everything.filter(({ path }) => /\.(ts|lua)$/.test(path) && !WRITTEN.includes(path))
  const wide = code.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, at) => {
      const isComment = /^\s*(\/\/|\/\*\*|\*|--)/.test(line)
      return isComment && line.length > COMMENT_COLUMNS_MAX ? [`${path}:${at + 1}`] : []
    }),
  )
  t.deepEqual(wide, [])
})

test('no function has more lines than are seen at once', (t) => {
  const functions = shipped.filter(({ path }) => path.endsWith('.ts')).flatMap(functionsOf)
  t.true(functions.length > 500)
  const long = functions.filter(({ lines }) => lines > FUNCTION_LINES_MAX).map(({ name }) => name)
  t.deepEqual(long, [])
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

test('a Lua file includes what lies beside it or below, and shared nothing that a service must supply', (t) => {
  const strangers = luaFiles.flatMap((file) =>
    included(file)
      .filter(({ found }) => {
        const [above, below] = [roomOf(file.path), found && roomOf(found.path)]
        return !above || !below || (below.floor >= above.floor && below.room !== above.room)
      })
      .map(({ name }) => `${file.path}: ${name}`),
  )
  t.deepEqual(strangers, [])
})

test('no two Lua files of one house have the same name', (t) => {
  const names = luaFiles.map(({ room, path }) => `${room}/${basename(path)}`)
  t.deepEqual(
    names.filter((name, at) => names.indexOf(name) !== at),
    [],
  )
})

test('every Lua file is used', (t) => {
  const isIncluded = new Set(luaFiles.flatMap(included).map(({ found }) => found?.path))
  const unused = luaFiles.filter(({ path, room }) => {
    const callers = sources.filter((file) => room === 'shared' || file.room === room)
    const name = basename(path, '.lua')
    return !isIncluded.has(path) && !callers.some(({ code }) => code.includes(`'${name}'`))
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

test('tests mirror the rooms: the folder of a test is that of what it tests', (t) => {
  const houses: readonly string[] = [...ROOMS, 'env']
  const strangers = everything
    .filter(({ path }) => path.endsWith('.test.ts') && houses.includes(path.split('/')[1] ?? ''))
    .filter(({ path }) => !existsSync(join(ROOT, relative('test', dirname(path)))))
  t.deepEqual(
    strangers.map(({ path }) => path),
    [],
  )
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
