/** A service that does nothing: plain Koa, which answers everything with a short text. See `limits.ts`. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import Koa from 'koa'

const app = new Koa()
app.use((context) => {
  context.type = 'text/plain; charset=utf-8'
  context.body = 'paid'
})
const server = createServer({ keepAliveTimeout: 65_000 }, app.callback())
server.listen(Number(process.env.PORT), '127.0.0.1')
await once(server, 'listening')
for (const event of ['SIGTERM', 'disconnect']) process.once(event, () => process.exit())
process.send?.('ready')
