/**
 * What does the compiler find?
 *
 * A result that is new, handled nowhere or misspelt would be a fault of the program at run time. Here each is made in a
 * copy of the sources, and the compiler must find it, at the place where it would come about.
 */
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'

const ROOT = resolve(import.meta.dirname, '..')
const ROOMS = ['ids', 'order', 'payment', 'stock', 'shared'] as const
const run = promisify(execFile)

type Fault = {
  readonly what: string
  /** A text that the sources have once, and what it becomes; nothing if the fault before has a second error. */
  readonly from?: RegExp
  readonly to?: string
  /** The error, and what the line says where it is found. */
  readonly error: string
  readonly at: string
}

const FAULTS: readonly Fault[] = [
  {
    what: 'a new outcome of a request for a checkout, which no answer tells',
    from: /\| \{ readonly state: 'overloaded' \}/g,
    to: "| { readonly state: 'overloaded' } | { readonly state: 'postponed' }",
    error: 'TS2345',
    at: "unreachable('order.outcome'",
  },
  {
    what: 'a new end of a checkout, which nobody is told',
    from: /\| \{ readonly state: 'paid' \}/g,
    to: "| { readonly state: 'paid' } | { readonly state: 'lost' }",
    error: 'TS2345',
    at: "unreachable('order.ended'",
  },
  {
    what: 'and which no order shows as the state of its checkout',
    error: 'TS2322',
    at: 'state: ended.state, reason: ended.by',
  },
  {
    what: 'because it may have no reason',
    error: 'TS2339',
    at: 'state: ended.state, reason: ended.by',
  },
  {
    what: 'and which is counted under no outcome',
    error: 'TS2339',
    at: "return ['cancelled', ended.by]",
  },
  {
    what: 'and which has no entry',
    error: 'TS2741',
    at: 'const ENDS',
  },
  {
    what: 'a new result of a command, which the route does not handle',
    from: /(?<='add-funds'.*)added: \[\],/g,
    to: 'added: [], blocked: [],',
    error: 'TS2345',
    at: "unreachable('payment.add_funds'",
  },
  {
    what: 'a result that a route has ceased to handle',
    from: /case 'out-of-credit':\s+return \{ problem: outOfCredit\(user\) \}/g,
    to: '',
    error: 'TS2345',
    at: "unreachable('payment.pay'",
  },
  {
    what: 'a misspelt result in a route',
    from: /case 'out-of-stock':/g,
    to: "case 'out-of-stok':",
    error: 'TS2678',
    at: "case 'out-of-stok':",
  },
  {
    what: 'and the result that is then handled by no case',
    error: 'TS2345',
    at: "unreachable('stock.subtract'",
  },
  {
    what: 'a misspelt result in a comparison',
    from: /result === 'kept'(?= \|\| result === 'granted')/g,
    to: "result === 'keep'",
    error: 'TS2367',
    at: "result === 'keep'",
  },
  {
    what: 'what a result does not bring',
    from: /item_id: result\[1\], log_id: result\[2\]/g,
    to: 'item_id: result[1], log_id: result[3]',
    error: 'TS2493',
    at: 'log_id: result[3]',
  },
  {
    what: 'and the answer, which is then not that of its row',
    error: 'TS2322',
    at: 'createItem: async (request)',
  },
  {
    what: 'a misspelt argument of a command',
    from: /runOnce\(add, \{ log_id: identifiers.next\(\), item, amount/g,
    to: 'runOnce(add, { log_id: identifiers.next(), item, amonut: amount',
    error: 'TS2561',
    at: 'amonut: amount',
  },
]

type Found = { readonly error: string; readonly at: string }

/** Each error that the compiler finds, with the line where it finds it. */
const compile = async (folder: string): Promise<readonly Found[]> => {
  const tsc = join(ROOT, 'node_modules/.bin/tsc')
  const output = await run(tsc, ['--noEmit', '--pretty', 'false'], { cwd: folder }).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )
  const found = [...output.matchAll(/^(\S+)\((\d+),\d+\): error (TS\d+)/gm)]
  return Promise.all(
    found.map(async ([, file = '', line = '0', error = '']) => {
      const lines = (await readFile(join(folder, file), 'utf8')).split('\n')
      return { error, at: (lines[Number(line) - 1] ?? '').trim() }
    }),
  )
}

const copySources = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'types-'))
  for (const room of ROOMS) await cp(join(ROOT, room), join(folder, room), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  const tsconfig = JSON.parse(await readFile(join(ROOT, 'tsconfig.json'), 'utf8'))
  // What a case that is left out has used is not the point.
  const compilerOptions = { ...tsconfig.compilerOptions, noUnusedLocals: false }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ ...tsconfig, compilerOptions, include: ROOMS }))
  return folder
}

/** Makes every fault. @throws if the sources do not have a text, or have it twice. */
const spoil = async (folder: string): Promise<void> => {
  const paths = (
    await Promise.all(
      ROOMS.map((room) =>
        readdir(join(folder, room), { recursive: true }).then((all) => all.map((one) => join(folder, room, one))),
      ),
    )
  ).flat()
  const texts = new Map<string, string>()
  for (const path of paths) if (path.endsWith('.ts')) texts.set(path, await readFile(path, 'utf8'))
  for (const { what, from, to = '' } of FAULTS) {
    if (from === undefined) continue
    const places = [...texts].flatMap(([path, text]) => [...text.matchAll(from)].map(() => path))
    const [path = ''] = places
    if (places.length !== 1) throw new Error(`${what}: it is found in ${places.join() || 'no file'}`)
    const text = texts.get(path)?.replace(from, to) ?? ''
    texts.set(path, text)
    await writeFile(path, text)
  }
}

test('a result that is new, handled nowhere or misspelt does not compile', async (t) => {
  const folder = await copySources()
  t.teardown(() => rm(folder, { recursive: true }))
  await spoil(folder)
  const found = await compile(folder)
  for (const { what, error, at } of FAULTS)
    t.true(
      found.some((one) => one.error === error && one.at.includes(at)),
      `${what}: no ${error} at ${at} in ${JSON.stringify(found, undefined, 1)}`,
    )
  t.is(found.length, FAULTS.length, `and nothing else is wrong: ${JSON.stringify(found, undefined, 1)}`)
})
