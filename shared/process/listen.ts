/** Why can this process not listen there? */
import { codeOf } from '../errors.ts'

/** What is wrong with the address at which a server was to listen, in words; undefined for an error of another kind. */
export const listenFault = (error: unknown, host: string, port: number): string | undefined => {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return `port ${port} is in use by another program`
    case 'EACCES':
      return `port ${port} may not be used by this user: those below 1024 are often for root alone`
    case 'EADDRNOTAVAIL':
      return `${host} is no address of this machine`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `no address is known of the host ${host}`
    case 'EINVAL':
    case 'EAFNOSUPPORT':
      return `nobody can listen on ${host} here`
  }
  return undefined
}
