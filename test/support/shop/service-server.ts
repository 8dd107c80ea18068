/** A service's server of some routes, without the service: on a free port of this machine, ready, open to everybody, and silent. */
import pino from 'pino'
import { type HttpServer, type HttpServerOptions, openServer } from '../../../shared/http/server.ts'

type Wishes = Pick<HttpServerOptions, 'routes'> & Partial<HttpServerOptions>

export const openServiceServer = (wishes: Wishes): Promise<HttpServer> =>
  openServer({
    service: 'house',
    port: 0,
    host: '127.0.0.1',
    checks: () => [],
    operatorToken: '',
    drainMs: 0,
    log: pino({ level: 'silent' }),
    ...wishes,
  })
