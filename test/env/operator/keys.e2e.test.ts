import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import pino from 'pino'
import { bearerOf, makeKey, readKeys } from '../../../gateway/auth/api-keys.ts'
import { openKeyFile } from '../../../gateway/auth/key-file.ts'
import { makeFolder } from '../../support/folder.ts'
import { run } from '../../support/program.ts'

test('a key is made and shown once, listed, and revoked', async (t) => {
  const file = join(await makeFolder(t), 'keys')
  const keys = (...line: string[]) => run(t, ['env/operator/keys.ts', ...line, '--file', file])
  t.is((await keys('list')).output, `no keys in ${file}\n`)
  const made = await keys('create', '--scope', 'merchant', '--name', 'till 7')
  t.is(made.code, 0, made.errors)
  const key = made.output.trim()
  const holder = () => {
    const opened = openKeyFile(file, pino({ level: 'silent' }))
    opened.stop()
    return bearerOf(opened.keys(), key)
  }
  t.deepEqual(holder(), { scope: 'merchant', subject: 'till 7' })
  t.is((await stat(file)).mode & 0o777, 0o600)

  const listed = (await keys('list')).output
  t.regex(listed, /^[\da-f]{12} {2}merchant {2}\S+ {2}holds +till 7\n$/)
  t.false(listed.includes(key.slice(-43)))

  const [id = ''] = listed.split(' ')
  t.like(await keys('revoke', id), { code: 0, output: `${id} is revoked\n` })
  t.is(holder(), undefined)
  t.regex((await keys('list')).output, /merchant .* revoked .* till 7\n$/)
  t.like(await keys('revoke', 'nobody'), { code: 1, output: `there is no key nobody in ${file}\n` })
})

test('its help tells which file a start reads', async (t) => {
  t.regex((await run(t, ['env/operator/keys.ts', '--help'])).output, /npm start -- --auth" reads \.data\/keys/)
})

test('what is added to a file whose last line is not whole is a line of its own', async (t) => {
  const file = join(await makeFolder(t), 'keys')
  const [kept, lost] = [makeKey('merchant', 'till', new Date()), makeKey('merchant', 'half', new Date())]
  const [, id = ''] = kept.key.split('_')
  await writeFile(file, `${kept.line}${lost.line.slice(0, 40)}`)
  const revoked = await run(t, ['env/operator/keys.ts', 'revoke', id, '--file', file])
  t.is(revoked.code, 0, revoked.errors)
  const { keys } = readKeys(await readFile(file, 'utf8'))
  t.is(bearerOf(keys, kept.key), undefined, 'it was said to be revoked')
})

for (const [line, complaint] of [
  [['make'], 'there is no "make"'],
  [['create', '--scope', 'service', '--name', 'a'], '--scope must be one of customer, merchant, operator'],
  [['revoke'], '"revoke" wants the ID of a key'],
] as const)
  test(`"${line.join(' ')}" is refused in one sentence`, async (t) => {
    const { code, errors } = await run(t, ['env/operator/keys.ts', ...line])
    t.is(code, 2)
    t.is(errors, `${complaint}; npm run keys -- --help shows the options\n`)
  })
