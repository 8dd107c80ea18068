import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { PartError } from '../../../env/local/managed-process.ts'
import { startShop } from '../../../env/local/shop.ts'
import { makeFolder } from '../../support/folder.ts'

test('a file that is damaged before its end is named with the command that gives up the rest', async (t) => {
  const dir = await makeFolder(t)
  const folder = join(dir, 'redis', 'payment', 'appendonlydir')
  await mkdir(folder, { recursive: true })
  const manifest = join(folder, 'appendonly.aof.manifest')
  await writeFile(manifest, 'file appendonly.aof.1.incr.aof seq 1 type i\n')
  await writeFile(join(folder, 'appendonly.aof.1.incr.aof'), 'damaged*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n')
  const error = await t.throwsAsync(startShop({ dir }), { instanceOf: PartError })
  t.regex(error.message, /^payment-redis exited with code 1 before it was ready/)
  t.is(
    error.message.split('\n').at(-1),
    `put back a copy of ${join(dir, 'redis')}, or make one and give up what lies behind the damage: redis-check-aof --fix ${manifest}`,
  )
})
