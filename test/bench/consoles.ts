/** How are consoles open while something else is measured? Each is a stream of all that happens in the shop, which is read as it comes. */
import { once } from 'node:events'
import { Agent, type ClientRequest, get, type IncomingMessage } from 'node:http'

/** All of them must have been told everything once within this time: what is measured then is what consoles cost that look. */
const TOLD_MS = 30_000

/** What stands in an event once there was an audit. */
const AUDITED = '"audit":{'

export type Consoles = AsyncDisposable

const openConsole = async (origin: string, agent: Agent, signal: AbortSignal): Promise<ClientRequest> => {
  const { OPERATOR_TOKEN: token } = process.env
  const headers = token ? { Authorization: `Bearer ${token}` } : {}
  const request = get(`${origin}/events`, { agent, headers, signal })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`a console was answered ${response.statusCode}`)
  // It is broken off from here in the end.
  response.on('error', () => undefined)
  // With the first audit all is told that is ever asked for, and the next one is a while away.
  await new Promise<void>((resolve) => {
    let told = ''
    response.on('data', (chunk: Buffer) => {
      if (told === AUDITED) return
      told = told.slice(-AUDITED.length) + chunk.toString()
      if (!told.includes(AUDITED)) return
      told = AUDITED
      resolve()
    })
  })
  return request
}

/** Resolves when each of them has been told how the shop is. */
export const openConsoles = async (origin: string, count: number): Promise<Consoles> => {
  const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY })
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(new Error(`not all consoles were told within ${TOLD_MS} ms`)), TOLD_MS)
  try {
    const all = Array.from({ length: count }, () => openConsole(origin, agent, late.signal))
    const opened = await Promise.all(all)
    return {
      [Symbol.asyncDispose]: async () => {
        await Promise.all(
          opened.map(async (request) => {
            const closed = once(request, 'close')
            request.destroy()
            await closed
          }),
        )
      },
    }
  } catch (error) {
    late.abort()
    throw error
  } finally {
    clearTimeout(timer)
  }
}
