/**
 * A stranger sends the requests of the collection, and of the file for editors, in order: the visit succeeds, and no other is
 * malformed.
 */
import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import test, { type ExecutionContext } from 'ava'
import { ROWS } from '../support/rows.ts'
import type { Reply } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'
import { idOf } from './document.ts'
import { COLLECTION, CONTRACT, HTTP_FILE } from './written.ts'

const opened = shareShop(test)

type Named = { readonly key: string; readonly value: string; readonly disabled?: boolean }
type Item = {
  readonly id: string
  readonly event?: readonly { readonly script: { readonly exec: readonly string[] } }[]
  readonly request: {
    readonly method: string
    readonly header: readonly Named[]
    readonly url: { readonly raw: string }
    readonly body?: { readonly raw: string }
  }
}
type Collection = {
  readonly item: readonly { readonly name: string; readonly item: readonly Item[] }[]
  readonly variable: readonly Named[]
}

const collection = JSON.parse(readFileSync(COLLECTION, 'utf8')) as Collection
const rows = new Map(ROWS.map((row) => [idOf(row), row]))
/** Streams of events do not end: that they are answered is tested elsewhere. */
const isEndless = (id: string): boolean => {
  const answers = rows.get(id)?.answers
  return answers !== undefined && 200 in answers && 'events' in answers[200]
}

type Variables = Map<string, string>
const filled = (text: string, variables: Variables): string =>
  text.replaceAll(/\{\{([^{}]+)\}\}/g, (_, name: string) => {
    const value = name === '$guid' ? crypto.randomUUID() : variables.get(name)
    if (!value) throw new Error(`{{${name}}} is not filled`)
    return value
  })

const WRONG =
  /:(malformed|malformed-body|no-such-route|method-not-allowed|unsupported-media-type|precondition-required|unauthorised)"/
/** What asks for a thing that there is not is refused, and what cannot be done; but nothing is malformed, and nothing fails. */
const assertTaken = (t: ExecutionContext, id: string, { status, text }: Reply): void => {
  t.true(status < 500 && !WRONG.test(text), `${id}: ${status} ${text}`)
}

/** Runs the tests of an item as Postman does, as far as they go. */
const runScript = (t: ExecutionContext, { id, event = [] }: Item, reply: Reply, variables: Variables): void => {
  const pm = {
    response: { code: reply.status, json: () => JSON.parse(reply.text) },
    collectionVariables: { set: (name: string, value: string) => variables.set(name, value) },
    expect: (found: number) => ({
      to: { be: { oneOf: (list: number[]) => t.true(list.includes(found), reply.text) } },
    }),
    test: (_: string, work: () => void) => work(),
  }
  for (const { script } of event) runInNewContext(script.exec.join('\n'), { pm }, { filename: id })
}

test.serial('the collection has each operation once, by its name', (t) => {
  const ids = collection.item.flatMap(({ item }) => item.map(({ id }) => id))
  const wanted = ROWS.filter(({ scope }) => scope !== 'service').map(idOf)
  t.deepEqual(ids.toSorted(), wanted.toSorted())
})

test.serial('the collection can be sent in order', async (t) => {
  const { client, shop } = opened()
  const variables: Variables = new Map(collection.variable.map(({ key, value }) => [key, value]))
  variables.set('SHOP', shop.url)
  for (const { name, item } of collection.item)
    for (const one of item.filter(({ id }) => !isEndless(id))) {
      const { method, header, url, body } = one.request
      const headers = Object.fromEntries(header.map(({ key, value }) => [key, filled(value, variables)]))
      const target = filled(url.raw, variables).slice(shop.url.length)
      const reply = await client.request(method, target, headers, body && filled(body.raw, variables))
      if (name !== 'A visit') assertTaken(t, one.id, reply)
      runScript(t, one, reply, variables)
    }
})

type Operation = {
  readonly parameters: readonly { readonly name: string; readonly example?: string }[]
  readonly requestBody: { readonly content: Readonly<Record<string, { readonly example: object }>> }
}
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>

test.serial('the examples of the contract place an order, also as a form, and change it', async (t) => {
  const { client } = opened()
  const { paths } = JSON.parse(readFileSync(CONTRACT, 'utf8')) as { readonly paths: Paths }
  const [place, change] = [paths['/orders']?.post, paths['/orders/{order}']?.patch]
  const send = (method: string, path: string, operation: Operation | undefined, type: string, headers = {}) => {
    const example = operation?.requestBody.content[type]?.example ?? {}
    const fields = Object.entries(example).map(([name, value]): [string, string] => [name, String(value)])
    const body = type === 'application/json' ? JSON.stringify(example) : new URLSearchParams(fields).toString()
    return client.request(method, path, { 'Content-Type': type, ...headers }, body)
  }
  for (const path of ['/payment/batch_init/1/1000', '/stock/batch_init/1/1000/5'])
    t.is((await client.post(path)).status, 200)
  const version = change?.parameters.find(({ name }) => name === 'If-Match')?.example ?? ''
  for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
    const placed = await send('POST', '/orders', place, type)
    t.is(placed.status, 201, placed.text)
    const { order_id } = placed.json as { order_id: string }
    const changed = await send('PATCH', `/orders/${order_id}`, change, 'application/json', { 'If-Match': version })
    t.is(changed.status, 204, changed.text)
  }
})

/** A value in a JSON document: `documents[0].number`. */
const valueAt = (document: unknown, place: string): string => {
  const parts = place.split(/[.[\]]+/).filter((part) => part !== '')
  const found = parts.reduce<unknown>((at, part) => (at as Readonly<Record<string, unknown>>)[part], document)
  return String(found)
}

test.serial('the file for editors can be sent in order', async (t) => {
  const { client, shop } = opened()
  const [head = '', ...requests] = readFileSync(HTTP_FILE, 'utf8').split(/^### .*$/m)
  const definitions = [...head.matchAll(/^@(\w+) = (.*)$/gm)].map(([, name = '', value = '']) => ({ name, value }))
  const variables: Variables = new Map()
  for (const { name, value } of definitions) if (!value.includes('{{')) variables.set(name, value)
  variables.set('SHOP', shop.url)
  const sent: string[] = []
  for (const request of requests) {
    const [lines = '', body] = request
      .replaceAll(/^# .*$/gm, (line) => (line.startsWith('# @name') ? line : ''))
      .trim()
      .split('\n\n')
    const [naming = '', target = '', ...headerLines] = lines.split('\n')
    const id = naming.replace('# @name ', '')
    sent.push(id)
    if (isEndless(id)) continue
    const [method = '', url = ''] = target.split(' ')
    const headers = Object.fromEntries(headerLines.map((line) => filled(line, variables).split(': ')))
    const path = filled(url, variables).slice(shop.url.length)
    const reply = await client.request(method, path, headers, body && filled(body, variables))
    assertTaken(t, id, reply)
    for (const { name, value } of definitions) {
      const [, from, place = ''] = /^\{\{(\w+)\.response\.body\.\$\.(.*)\}\}$/.exec(value) ?? []
      if (from === id && reply.status < 300) variables.set(name, valueAt(reply.json, place))
    }
  }
  t.deepEqual(
    sent,
    collection.item.flatMap(({ item }) => item.map(({ id }) => id)),
  )
})
