import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import pino from 'pino'
import { makeKey } from '../../../gateway/auth/api-keys.ts'
import { openKeyFile } from '../../../gateway/auth/key-file.ts'
import { eventually } from '../../support/eventually.ts'
import { makeFolder } from '../../support/folder.ts'

test('a file that cannot be read grants nothing, which is told once, and is read as soon as it can be, though it has not changed', async (t) => {
  const path = join(await makeFolder(t), 'keys')
  const { line } = makeKey('merchant', 'till', new Date())
  writeFileSync(path, line)
  let refusals = 0
  const read = (): string => {
    refusals += 1
    if (refusals <= 3) throw Object.assign(new Error('no descriptor is left'), { code: 'EMFILE' })
    return line
  }
  const told: string[] = []
  const log = pino({ level: 'error' }, { write: (text: string) => void told.push(text) })
  const { keys, stop } = openKeyFile(path, log, read)
  t.teardown(stop)
  t.is(keys().size, 0)
  await eventually(async () => assert.equal(keys().size, 1), 5_000)
  t.is(told.length, 1)
})
