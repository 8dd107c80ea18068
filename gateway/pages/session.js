/**
 * How does the page ask the shop?
 *
 * By `fetch`, with the operator's token if there is one. That is kept in this tab alone (`sessionStorage`), and in no cookie: so no other page can
 * have it sent. Events are read by `fetch`, too, since `EventSource` sends no header; a stream that ends is asked for again.
 */

const KEPT = 'operator-token'
const AGAIN_MS = 1_000
/** The gateway tells something each second. */
const SILENT_MS = 8_000

export const keptToken = () => sessionStorage.getItem(KEPT) ?? ''
export const keepToken = (token) =>
  token === '' ? sessionStorage.removeItem(KEPT) : sessionStorage.setItem(KEPT, token)

const authorised = (headers = {}) => {
  const token = keptToken()
  return token === '' ? headers : { ...headers, Authorization: `Bearer ${token}` }
}

/** What a problem document says, in a sentence. */
const sentenceOf = (status, body) =>
  body?.title === undefined ? `the shop answers ${status}` : `${body.title}: ${body.detail}`

/** @returns {Promise<{ok: boolean, status: number, body: any, sentence: string}>} whatever the status */
export const ask = async (method, path, body) => {
  // Whatever changes anything bears a key of its own, so that the gateway may send it again.
  const keyed = method === 'GET' ? {} : { 'Idempotency-Key': crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` }
  const typed = body === undefined ? {} : { 'Content-Type': 'application/json' }
  try {
    const response = await fetch(path, {
      method,
      headers: authorised({ Accept: 'application/json', ...keyed, ...typed }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = /json/.test(response.headers.get('Content-Type') ?? '')
    const told = isJson ? JSON.parse(text) : text
    return { ok: response.ok, status: response.status, body: told, sentence: sentenceOf(response.status, told) }
  } catch {
    return { ok: false, status: 0, body: null, sentence: 'the shop cannot be reached' }
  }
}

/** The same as a line for a shell. */
export const asCurl = (method, path, body) =>
  [
    'curl',
    ...(method === 'GET' ? [] : ['-X', method]),
    ...(keptToken() === '' ? [] : ['-H', '"Authorization: Bearer $OPERATOR_TOKEN"']),
    ...(body === undefined ? [] : ['-H', "'Content-Type: application/json'", '-d', `'${JSON.stringify(body)}'`]),
    `'${location.origin}${path}'`,
  ].join(' ')

const messageIn = (event) => {
  const fields = Object.fromEntries(
    event.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()]),
  )
  return fields.data === undefined ? undefined : { name: fields.event, data: JSON.parse(fields.data) }
}

const readEvents = async (body, onMessage, stillThere) => {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    stillThere()
    const events = `${text}${value}`.split('\n\n')
    text = events.pop() ?? ''
    for (const event of events) {
      const message = messageIn(event)
      if (message) onMessage(message)
    }
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Follows what happens in the shop until the signal.
 * @param onState told `live`, `lost`, or `token` if one is wanted, with the reason, and then it is over
 */
export const follow = async ({ onMessage, onState, signal }) => {
  while (!signal.aborted) {
    const silent = new AbortController()
    const either = AbortSignal.any([signal, silent.signal])
    let timer = 0
    const stillThere = () => {
      clearTimeout(timer)
      timer = setTimeout(() => silent.abort(), SILENT_MS)
    }
    try {
      stillThere()
      const response = await fetch('/events', { headers: authorised(), signal: either, cache: 'no-store' })
      if (response.status === 401 || response.status === 403)
        return onState('token', sentenceOf(response.status, await response.json()))
      if (response.ok && response.body) {
        onState('live')
        await readEvents(response.body, onMessage, stillThere)
      }
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof DOMException)) throw error
    } finally {
      clearTimeout(timer)
    }
    if (signal.aborted) return
    onState('lost')
    await pause(AGAIN_MS)
  }
}
