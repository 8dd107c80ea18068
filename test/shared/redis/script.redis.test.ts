import { mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { compose, type ScriptParts, script } from '../../../shared/redis/script.ts'
import { openBench } from '../../support/shop/open-store.ts'

const bench = await openBench()
const { redis } = bench
const folder = mkdtempSync(join(tmpdir(), 'lua-'))
test.after.always(async () => {
  await rm(folder, { recursive: true, force: true })
  await bench[Symbol.asyncDispose]()
})

const FILES = {
  main: "return commands[ARGV[1]]({ KEYS = ARGV[2] }) .. ':' .. names.mark .. ':' .. limits.most",
  base: "-- base: what all share\nlocal base = 'base'",
  middle: '--- @include "base"\nlocal middle = base .. \'+middle\'',
  one: '--- @include "base"\n--- @include "middle"\n-- one: does one thing\n-- RETURNS  one\nfunction commands.one() return middle .. \'+one\' end',
  two: '--- @include "middle"\n--- @include "base"\nfunction commands.two() return middle .. \'+two\' end',
  log: "local log = 'the service has its own'",
  more: '--- @include "base"\n-- more: completes base\nbase = base .. \'+more\'',
  often:
    '--- @often\n--- @include "base"\n--- @rarely "seldom"\nfunction commands.often(args) return args.KEYS == 1 and base or rarely.seldom() end',
  seldom: '--- @include "middle"\nfunction rarely.seldom() return middle .. \'+seldom\' end',
  called:
    "local function last() return 'last' end\nlocal function next()\n  return last()\nend\nlocal function alone()\n  return alone()\nend\nlocal function above() return alone() end",
  calls: '--- @include "called"\nfunction commands.calls() return next() end',
  lost: '--- @include "no-such-thing"',
  full: "redis.call('LPOP', 'list')\nredis.call('SET', 'key', 'value')\nreturn 'done'",
  broken: "redis.call('INCR', 'text')\nreturn 'done'",
}
for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, `${name}.lua`), text)

const parts = (changes: Partial<ScriptParts> = {}): ScriptParts => ({
  lua: [pathToFileURL(`${folder}/`)],
  commands: ['one', 'two'],
  main: 'main',
  tables: { names: { mark: 'a "quoted" mark' }, limits: { most: 9 } },
  ...changes,
})
const callsOf = async (command: string): Promise<number> =>
  Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(await redis.info('commandstats'))?.[1] ?? 0)

test('every file is there once, and after what it includes', (t) => {
  const text = compose(parts())
  const at = ['local base =', 'local middle =', 'commands.one()', 'commands.two()', 'return commands['].map((piece) =>
    text.indexOf(piece),
  )
  t.deepEqual(
    at,
    at.toSorted((a, b) => a - b),
  )
  t.false(at.includes(-1))
  t.is(text.split('local base =').length, 2)
  t.is(text.split('local middle =').length, 2)
})

test('a file that is completed by one of the service is complete for whatever includes it', (t) => {
  const text = compose(parts({ supplies: { base: 'more' } }))
  const at = ['local base =', "base = base .. '+more'", 'local middle ='].map((piece) => text.indexOf(piece))
  t.deepEqual(
    at,
    at.toSorted((a, b) => a - b),
  )
  t.false(at.includes(-1))
  t.false(compose(parts()).includes('+more'))
})

test('what Redis keeps has no comments, and begins with the line that makes it refuse a script as a whole', (t) => {
  const text = compose(parts())
  t.true(text.startsWith('#!lua\n'))
  t.notRegex(text, /--/)
})

test('the same parts give the same text: a script that is known stays known', (t) => {
  t.is(compose(parts()), compose(parts()))
})

test('a function that nothing calls, or only what nothing calls, is left out', async (t) => {
  const text = compose(parts({ commands: ['calls'] }))
  t.deepEqual(
    [...text.matchAll(/local function (\w+)/g)].map(([, name]) => name),
    ['last', 'next'],
  )
  t.is(await script(text)(redis, ['calls', '']), 'last:a "quoted" mark:9')
})

test('what is needed rarely is defined only when it is called, and so is a command that is not run often, if there are others', (t) => {
  const text = compose(parts({ commands: ['often', 'one'] }))
  const at = [
    'local base =',
    'commands.often(',
    'define = function',
    'local middle =',
    'rarely.seldom()',
    'return commands[',
  ].map((piece) => text.lastIndexOf(piece))
  t.deepEqual(
    at.toSpliced(4, 1),
    at.toSpliced(4, 1).toSorted((a, b) => a - b),
  )
  t.true(text.indexOf('commands.one()') > text.indexOf('define = function'))
  t.is(text.split('local middle =').length, 2)
  t.false(compose(parts({ commands: ['one'] })).includes('define = function'))
})

test('a file of the service comes before one of the same name that all share', (t) => {
  t.true(compose(parts({ commands: ['log'] })).includes('the service has its own'))
  t.true(compose(parts({ main: 'do' })).includes('key-reused'))
})

test('a file that is missing is named, with where it was looked for', (t) => {
  t.throws(() => compose(parts({ commands: ['lost'] })), { message: /no-such-thing\.lua in .+ or .+shared/ })
})

test.serial('a script sees its tables, its includes and its arguments', async (t) => {
  const run = script(compose(parts()))
  t.is(await run(redis, ['one', 1]), 'base+middle+one:a "quoted" mark:9')
  t.is(await run(redis, ['two', 'x']), 'base+middle+two:a "quoted" mark:9')
})

test.serial(
  'what is defined later sees what stands before it, and a name that nothing defines is an error',
  async (t) => {
    const run = script(compose(parts({ commands: ['often', 'one'] })))
    t.is(await run(redis, ['often', 'x']), 'base+middle+seldom:a "quoted" mark:9')
    t.is(await run(redis, ['one', 1]), 'base+middle+one:a "quoted" mark:9')
    await t.throwsAsync(run(redis, ['none', 1]), { message: /attempt to call.*nil/ })
  },
)

test.serial('a script that the server does not know is loaded by one EVAL, once', async (t) => {
  await redis.script('FLUSH')
  await redis.config('RESETSTAT')
  const run = script(compose(parts()))
  for (let time = 0; time < 3; time += 1) await run(redis, ['one', 1])
  t.deepEqual([await callsOf('eval'), await callsOf('evalsha')], [1, 3])
  await redis.script('FLUSH')
  t.is(await run(redis, ['two', 1]), 'base+middle+two:a "quoted" mark:9')
  t.deepEqual([await callsOf('eval'), await callsOf('evalsha')], [2, 4])
})

test.serial('many calls at once after SCRIPT FLUSH all have their effect, once', async (t) => {
  writeFileSync(join(folder, 'count.lua'), "return redis.call('INCR', 'counter')")
  const run = script(compose(parts({ commands: [], main: 'count' })))
  await redis.script('FLUSH')
  const replies = await Promise.all(Array.from({ length: 50 }, () => run(redis, [])))
  t.is(new Set(replies).size, 50)
  t.is(await redis.get('counter'), '50')
})

test.serial('a script is refused as a whole by a full Redis, also where its first command would pass', async (t) => {
  const run = script(compose(parts({ commands: [], main: 'full' })))
  await redis.rpush('list', 'first')
  t.is(await run(redis, []), 'done')
  await redis.rpush('list', 'second')
  await redis.config('SET', 'maxmemory', '1')
  await t.throwsAsync(run(redis, []), { message: /^OOM/ })
  await redis.config('SET', 'maxmemory', '0')
  t.is(await redis.llen('list'), 1)
})

test.serial('an error of the script passes unchanged', async (t) => {
  await redis.set('text', 'no number')
  const run = script(compose(parts({ commands: [], main: 'broken' })))
  await t.throwsAsync(run(redis, []), { message: /not an integer/ })
})
