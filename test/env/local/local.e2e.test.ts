import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { redisProgram } from '../../../env/local/redis-program.ts'
import { eventually } from '../../support/eventually.ts'
import { makeFolder } from '../../support/folder.ts'
import { isRunning, type Program, processesIn, start } from '../../support/program.ts'

/** The launcher, with these parameters and variables. */
const local = (t: ExecutionContext, parameters: readonly string[], env: Record<string, string> = {}): Program =>
  start(t, ['env/local/local.ts', ...parameters], { env: { ...process.env, ...env } })

/** Runs it to its end. */
const run = (...line: Parameters<typeof local>) => local(...line).ended

test.serial('it tells its options', async (t) => {
  const { code, output } = await run(t, ['--help'])
  t.is(code, 0)
  for (const option of ['--port', '--host', '--replicas', '--data', '--auth']) t.true(output.includes(option))
})

const misuses: [what: string, parameters: string[], complaint: RegExp][] = [
  ['an unknown option', ['--nonsense'], /^Unknown option '--nonsense'; npm start -- --help shows the options\n$/],
  ['a stray word', ['now'], /^Unexpected argument 'now'; npm start -- --help shows the options\n$/],
  ['a port that is none', ['--port', '70000'], /^--port must be a number from 0 to 65535, not "70000"; npm start/],
  ['no replicas', ['--replicas', '0'], /^--replicas must be a number from 1 to 10, not "0"; npm start/],
]
for (const [what, parameters, complaint] of misuses)
  test.serial(`it refuses ${what} in one sentence`, async (t) => {
    const { code, output, errors } = await run(t, parameters)
    t.is(code, 1)
    t.is(output, '')
    t.regex(errors, complaint)
  })

test.serial('it names a busy port in one sentence, and starts nothing', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const data = join(await makeFolder(t), 'data')
  const { code, output, errors } = await run(t, ['--port', String(port), '--data', data])
  t.is(code, 1)
  t.is(output, '')
  t.is(errors, `port ${port} is in use by another program; npm start -- --port N takes another one\n`)
  t.false(existsSync(data))
})

const isInUsualPlace = ['/usr/local/bin', '/opt/homebrew/bin', '/usr/local/opt/redis/bin', '/snap/bin'].some(
  (folder) => existsSync(join(folder, 'redis-server')) || existsSync(join(folder, 'valkey-server')),
)
const whereRedisIsNot = isInUsualPlace ? test.skip : test.serial

whereRedisIsNot('it names the missing redis-server and what installs it, in one sentence', async (t) => {
  const bare = await makeFolder(t)
  const options = ['--port', '0', '--data', join(bare, 'data')]
  const nothing = await run(t, options, { PATH: bare, SHOP_INSTALL: 'no' })
  t.is(nothing.code, 1)
  t.regex(nothing.errors, /^redis-server is missing: install Redis or Valkey 7.0 or newer, or name .*\n$/)

  await writeFile(join(bare, 'brew'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  const installable = await run(t, options, { PATH: bare, SHOP_INSTALL: 'no' })
  t.is(installable.errors, 'redis-server is missing; this installs it: brew install --quiet redis\n')
  const failing = await run(t, options, { PATH: bare })
  t.regex(failing.errors, /^redis-server could not be installed: Command failed: brew install --quiet redis\n$/)
})

whereRedisIsNot('it installs a missing redis-server and says so', async (t) => {
  const bare = await makeFolder(t)
  const program = await redisProgram()
  await writeFile(join(bare, 'brew'), `#!/bin/sh\n/bin/ln -s ${program} ${bare}/redis-server\n`, { mode: 0o755 })
  const { child, lines, said, ended } = local(t, ['--port', '0', '--data', join(bare, 'data')], { PATH: bare })
  await said(/order-redis +ready/)
  t.is(lines[0], 'redis-server is missing; installing it: brew install --quiet redis')
  child.kill('SIGTERM')
  t.like(await ended, { code: 0, signal: null })
})

test.serial('it refuses a program that is no redis-server, or too old a one', async (t) => {
  const program = join(await makeFolder(t), 'redis-server')
  const refusal = async () => (await run(t, ['--port', '0'], { REDIS_SERVER: program })).errors
  t.is(await refusal(), `REDIS_SERVER names ${program}, which is no program\n`)
  await writeFile(program, '#!/bin/sh\necho "Redis server v=6.2.1 sha=00000000:0"\n')
  await chmod(program, 0o755)
  t.regex(await refusal(), /redis-server is version 6\.2\.1; the shop needs Redis or Valkey 7\.0 or newer/)
  await writeFile(program, '#!/bin/sh\necho "Hello."\n')
  t.regex(await refusal(), /redis-server is no Redis; the shop needs/)
})

test.serial(
  'the shop runs, a part that dies is seen to come back, and SIGINT ends everything in seconds',
  async (t) => {
    const data = join(await makeFolder(t), 'data')
    const { child, lines, said, ended } = local(t, ['--port', '0', '--data', data], { OPERATOR_TOKEN: '' })
    const [, url = ''] = await said(/^The shop is open at (http:\S+)/)
    await said(
      /^Operators' routes are open to whoever reaches the shop: OPERATOR_TOKEN=\.\.\. npm start closes them\.$/,
    )
    t.is((await fetch(`${url}/payment/create_user`, { method: 'POST' })).status, 200)

    t.is(processesIn(lines).length, 9)
    const [, pid] = await said(/order-1 +ready .*process (\d+)/)
    const before = lines.length
    process.kill(Number(pid), 'SIGKILL')
    await said(/order-1 +was ended by SIGKILL; it is started again in 250 ms/, before)
    await said(/order-1 +ready/, before)
    t.is(processesIn(lines).length, 10)

    const askedAt = performance.now()
    child.kill('SIGINT')
    t.like(await ended, { code: 0, signal: null })
    t.true(performance.now() - askedAt < 10_000)
    t.deepEqual(processesIn(lines).filter(isRunning), [])
    t.is(lines.filter((line) => / ended$/.test(line)).length, 9)
  },
)

test.serial('with --auth clients bear tokens, of which it tells one of each kind', async (t) => {
  const data = join(await makeFolder(t), 'data')
  const { child, lines, said, ended } = local(t, ['--port', '0', '--data', data, '--auth'])
  const [, url = ''] = await said(/^The shop is open at (http:\S+) /)
  await said(/^Logs of the parts/)
  const tokenOf = (name: string): string => lines.find((line) => line.startsWith(`  ${name}=`))?.split('=')[1] ?? ''
  const ask = (method: string, path: string, token?: string) =>
    fetch(url + path, { method, ...(token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }) })
  const [customer, merchant, operator] = [tokenOf('CUSTOMER'), tokenOf('MERCHANT'), tokenOf('OPERATOR')]
  const none = await ask('POST', '/payment/create_user')
  t.deepEqual([none.status, none.headers.get('www-authenticate')], [401, 'Bearer'])
  t.like(await (await ask('POST', '/payment/create_user', customer)).json(), { user_id: 'anna' })
  t.is((await ask('POST', '/payment/add_funds/anna/7', customer)).status, 403)
  t.is((await ask('POST', '/payment/add_funds/anna/7', merchant)).status, 200)
  t.deepEqual(await (await ask('GET', '/payment/find_user/anna', customer)).json(), { user_id: 'anna', credit: 7 })
  t.is((await ask('GET', '/audit', merchant)).status, 403)
  t.like(await start(t, ['env/operator/audit.ts', '--url', url, '--token', operator]).ended, { code: 0 })

  t.regex(lines.join('\n'), new RegExp(`npm run visit -- --url ${url} --token \\$OPERATOR `))
  const visit = (token: string) =>
    start(t, ['env/local/visit.ts', '--url', url], { env: { ...process.env, OPERATOR_TOKEN: token } }).ended
  const askedIn = (output: string): number => [...output.matchAll(/^curl /gm)].length
  const without = await visit('')
  t.is(without.code, 1)
  t.is(askedIn(without.output), 1)
  t.regex(without.errors, /^the shop wants a token: give an operator's by --token TOKEN, /)
  const refused = await visit(customer)
  t.is(refused.code, 1)
  t.regex(refused.output, /insufficient-scope\S+ .*\n$/)
  t.regex(refused.errors, /^the visit ended early, for this was answered 403;/)
  const made = await visit(operator)
  t.is(made.code, 0, made.errors)
  t.regex(made.output, /100 orders initialised/)

  const [, line = ''] = /^ {2}npm run keys -- (create --scope merchant .*)$/m.exec(lines.join('\n')) ?? []
  const told = line.replace('merchant', 'operator').split(' ')
  t.is(told.at(-1), join(data, 'keys'))
  const key = (await start(t, ['env/operator/keys.ts', ...told]).ended).output.trim()
  await eventually(async () => assert.equal((await ask('GET', '/audit', key)).status, 200), 5_000)

  const past = /payment-1 +ready on port (\d+)/.exec(lines.join('\n'))?.[1] ?? ''
  t.is((await fetch(`http://127.0.0.1:${past}/payment/find_user/anna`)).status, 403, 'past the gateway')
  t.is((await fetch(`http://127.0.0.1:${past}/ready`)).status, 200)
  child.kill('SIGINT')
  t.like(await ended, { code: 0 })
})

test.serial("it says at the start that operators' routes want a token, where there is one", async (t) => {
  const data = join(await makeFolder(t), 'data')
  const { child, lines, said, ended } = local(t, ['--port', '0', '--data', data], { OPERATOR_TOKEN: 'sesame' })
  await said(/^Logs of the parts/)
  child.kill('SIGINT')
  await ended
  t.true(lines.includes("Operators' routes want the OPERATOR_TOKEN."))
})
