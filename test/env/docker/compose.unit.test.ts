import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test from 'ava'
import { NODE_FLAGS } from '../../../env/local/parts.ts'
import { ASKS, originsVariable, passwordsOf, redisVariable, redisVariables, VISITS } from '../../../env/wiring.ts'
import { SERVICES, type Service } from '../../../shared/contract/services.ts'
import { DEV_PASSWORD } from '../../../shared/process/exposure.ts'

const ROOT = join(import.meta.dirname, '../../..')
const read = (file: string): Promise<string> => readFile(join(ROOT, file), 'utf8')

const readVariables = async (name: string): Promise<Record<string, string>> => {
  const lines = (await read(`env/${name}.env`)).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(
    lines.map((line) => {
      const [variable = '', ...value] = line.split('=')
      return [variable, value.join('=')]
    }),
  )
}

/** The services of the compose file by name, each as its lines; anchors and merges are left as they stand. */
const readCompose = async (): Promise<Record<string, string>> => {
  const [, services = ''] = /^services:\n(.*?)^\S/ms.exec(await read('docker-compose.yml')) ?? []
  const blocks = services.split(/^ {2}(?=\S)/m).filter((block) => block.trim() !== '')
  return Object.fromEntries(blocks.map((block) => [block.slice(0, block.indexOf(':')), block]))
}

test('the compose file has the four services, a Redis and a volume for each, and the gateway', async (t) => {
  const compose = await readCompose()
  t.deepEqual(
    Object.keys(compose).sort(),
    ['gateway', ...SERVICES, ...SERVICES.map((service) => `${service}-redis`)].sort(),
  )
  for (const service of SERVICES) {
    t.regex(compose[service] ?? '', new RegExp(`command: \\[${service}/main\\.ts\\]`))
    t.regex(compose[service] ?? '', new RegExp(`env_file: env/${service}\\.env`))
    t.regex(compose[`${service}-redis`] ?? '', new RegExp(`env_file: env/${service}\\.env`))
    t.regex(compose[`${service}-redis`] ?? '', new RegExp(`- ${service}-data:/data`))
    t.regex(compose[`${service}-redis`] ?? '', /- \.\/env\/redis\/batch\.sh:\/shop\/batch\.sh:ro/)
  }
})

test('Node is started in containers as it is on this machine', async (t) => {
  const [, entry = ''] = /^ENTRYPOINT (.*)$/m.exec(await read('env/docker/Dockerfile')) ?? []
  t.deepEqual(JSON.parse(entry), ['/bin/sh', 'env/redis/batch.sh', 'node', ...NODE_FLAGS])
})

test('only the gateway is reached from outside', async (t) => {
  const compose = await readCompose()
  const published = Object.keys(compose).filter((name) => /ports:|network_mode:/.test(compose[name] ?? ''))
  t.deepEqual(published, ['gateway'])
  t.regex(compose.gateway ?? '', /ports: \["\$\{PORT:-8000\}:8000"\]/)
})

test('the gateway reaches no Redis', async (t) => {
  const compose = await readCompose()
  t.regex(compose.gateway ?? '', /networks: \[shop\]/)
  const file = await read('docker-compose.yml')
  const [, service = ''] = /^x-service: &service\n(.*?)^\S/ms.exec(file) ?? []
  const [, redis = ''] = /^x-redis: &redis\n(.*?)^\S/ms.exec(file) ?? []
  t.regex(service, /networks: \[shop, redis\]/)
  t.regex(redis, /networks: \[redis\]/)
  t.regex(file, /^ {2}redis:\n {4}internal: true$/m)
})

test('what a container writes and keeps in memory is bounded', async (t) => {
  const file = await read('docker-compose.yml')
  for (const anchor of ['service', 'redis']) {
    const [, block = ''] = new RegExp(`^x-${anchor}: &${anchor}\\n(.*?)^\\S`, 'ms').exec(file) ?? []
    t.regex(block, /mem_limit: \d+[mg]/)
    t.regex(block, /logging: (&logging\n {4}driver: json-file\n {4}options: \{ max-size|\*logging)/)
  }
})

test('the shop that is shipped for trying says so, in every file that bears a password', async (t) => {
  for (const service of SERVICES) {
    const variables = await readVariables(service)
    t.is(variables.ALLOW_DEV_PASSWORDS, 'yes')
    t.regex(variables.REDIS_PASSWORD ?? '', DEV_PASSWORD)
    t.is(variables.SHOP_URL, 'http://gateway:8000')
  }
})

test('a container starts once everything it reaches is healthy', async (t) => {
  const compose = await readCompose()
  const waitsFor = (name: string) =>
    [...(compose[name] ?? '').matchAll(/^ {6}(\S+): \{ condition: service_healthy \}$/gm)].map(([, other]) => other)
  t.deepEqual(waitsFor('gateway').sort(), [...ASKS.gateway].sort())
  for (const service of SERVICES)
    t.deepEqual(waitsFor(service).sort(), [service, ...VISITS[service]].map((owner) => `${owner}-redis`).sort())
})

test('the .env files give every address that is needed, and no other', async (t) => {
  const isAddress = (variable: string) => /(_URLS|REDIS_URL)$/.test(variable)
  for (const service of SERVICES) {
    const variables = await readVariables(service)
    const wanted = [
      ...[service, ...VISITS[service]].map((owner) => redisVariable(owner, service)),
      ...ASKS[service].map(originsVariable),
    ]
    t.deepEqual(Object.keys(variables).filter(isAddress).sort(), wanted.sort(), service)
    for (const asked of ASKS[service]) t.is(variables[originsVariable(asked)], `http://${asked}:8080`)
  }
  const variables = await readVariables('gateway')
  t.deepEqual(Object.keys(variables).filter(isAddress).sort(), ASKS.gateway.map(originsVariable).sort())
})

test('every password of a Redis is the one that its user has', async (t) => {
  const accounts = passwordsOf(() => '?')
  const passwordOf = async (owner: Service, user: Service): Promise<string> => {
    const variable = owner === user ? 'REDIS_PASSWORD' : `VISITOR_${user.toUpperCase()}_PASSWORD`
    return (await readVariables(owner))[variable] ?? 'none'
  }
  const seen = new Set<string>()
  for (const owner of SERVICES) {
    const given = Object.keys(await readVariables(owner)).filter((variable) => variable.endsWith('_PASSWORD'))
    t.deepEqual(given.sort(), Object.keys(redisVariables(owner, accounts)).sort(), owner)
    for (const user of SERVICES.filter((one) => one === owner || VISITS[one].includes(owner))) {
      const url = new URL((await readVariables(user))[redisVariable(owner, user)] ?? '')
      t.is(url.password, await passwordOf(owner, user))
      t.is(url.username, owner === user ? '' : user)
      t.is(url.host, `${owner}-redis:6379`)
      t.regex(url.password, /^[\w-]+$/)
      seen.add(url.password)
    }
  }
  t.is(seen.size, SERVICES.flatMap((service) => [service, ...VISITS[service]]).length, 'no password is used twice')
})

const letIn = async (): Promise<readonly string[]> =>
  (await read('.dockerignore')).split('\n').filter((line) => line !== '' && !line.startsWith('#'))

test('no password reaches the image', async (t) => {
  const [first, ...exceptions] = await letIn()
  t.is(first, '*')
  for (const line of exceptions) t.notRegex(line, /^!env$|\*|\.env$/)
})

/** The files that a program of `env` consists of, of those that are let in one by one. */
const programOf = async (file: string, known = new Set<string>()): Promise<ReadonlySet<string>> => {
  known.add(file)
  const imported = [...(await read(file)).matchAll(/^(?:import|export|\} from).*? ?'(\.\.?\/[^']+)'/gm)]
  for (const [, other = ''] of imported) {
    const path = join(dirname(file), other)
    if (path.startsWith('env/') && !known.has(path)) await programOf(path, known)
  }
  return known
}

test("the image has the operators' tools whole, and nothing else of env", async (t) => {
  const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> }
  const wanted = new Set(['env/redis/batch.sh'])
  const tools = Object.values(scripts).filter((script) => script.includes(' env/operator/'))
  t.true(tools.length >= 5)
  for (const tool of tools) {
    for (const file of tool.match(/env\/\S+/g) ?? []) for (const part of await programOf(file)) wanted.add(part)
  }
  const lines = (await letIn()).filter((line) => line.startsWith('!env/'))
  t.deepEqual(lines.toSorted(), [...wanted].map((file) => `!${file}`).sort())
})
