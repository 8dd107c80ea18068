/** What a process that logs does when its output takes nothing. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { eventually } from '../../support/eventually.ts'

/** What its file may hold, in blocks of 512 bytes: a disk that is full after 4 MB, half of what is said. */
const ROOM_BLOCKS = 8_192
const LINES = 40_000
const RETRIED_MS = 20_000

/** Says more than its file may hold and than is kept, and lives on until it is let go. */
const TALKER = `
import { openLogger } from ${JSON.stringify(join(import.meta.dirname, '../../../shared/process/logger.ts'))}
const logger = openLogger('talker', 'talker-1', 'info')
for (let line = 0; line < ${LINES}; line += 1) logger.info({ line }, 'x'.repeat(100))
process.on('disconnect', () => process.exit(0))
process.send('alive')
`

/** Logs what Redis refused, as ioredis throws it, by itself and as the cause of another error. */
const REFUSED = `
import { openLogger } from ${JSON.stringify(join(import.meta.dirname, '../../../shared/process/logger.ts'))}
const refused = Object.assign(new Error('OOM command not allowed'), { command: { name: 'evalsha', args: ['whsec_secret'] } })
const logger = openLogger('talker', 'talker-1', 'info')
logger.warn({ err: refused }, 'refused')
logger.warn({ err: new Error('got no answer', { cause: refused }) }, 'refused')
logger.warn({ err: null }, 'refused by nobody')
`

test('of what Redis refused the command is named, and nothing that it was given', async (t) => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', REFUSED], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = (await text(child.stdout)).trimEnd().split('\n')
  t.is(lines.length, 3, 'to log what is no error throws nothing')
  const [first, second] = lines.map((line) => (JSON.parse(line) as { err: Record<string, unknown> }).err)
  t.like(first, { type: 'Error', message: 'OOM command not allowed', command: 'evalsha' })
  t.is(second?.message, 'got no answer: OOM command not allowed')
  t.false(lines.join().includes('whsec_secret'))
})

test('a full disk costs lines, which are counted, but no process', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'shop-logger-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const file = join(dir, 'log')
  const script = `ulimit -f ${ROOM_BLOCKS}; exec "$0" --input-type=module --eval "$1" >>"$2"`
  const child = spawn('/bin/sh', ['-c', script, process.execPath, TALKER, file], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  t.is((await once(child, 'message'))[0], 'alive')
  const before = (await readFile(file, 'utf8')).split('\n').length - 1
  await truncate(file)
  const last = await eventually(async () => {
    const line = (await readFile(file, 'utf8')).trimEnd().split('\n').at(-1) ?? ''
    assert.match(line, /lines are missing/)
    return JSON.parse(line) as { lines: number }
  }, RETRIED_MS)
  // What came last before the disk was full was cut in two.
  const kept = (await readFile(file, 'utf8')).split('\n').length - 3
  t.is(before + 1 + kept + last.lines, LINES)
  child.disconnect()
  t.deepEqual(await ended, [0, null])
})

test('a process whose output takes nothing at all ends when it wants to', async (t) => {
  const full = await open('/dev/full', 'a')
  const child = spawn(process.execPath, ['--input-type=module', '--eval', TALKER], {
    stdio: ['ignore', full.fd, 'inherit', 'ipc'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  t.is((await once(child, 'message'))[0], 'alive')
  child.disconnect()
  t.deepEqual(await ended, [0, null])
  await full.close()
})
