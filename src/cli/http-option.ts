import {isIP} from 'node:net'
import {InvalidArgumentError} from 'commander'

/** The address of the web page. */
export type HttpOption = 'off' | {readonly host: string; readonly port: number}

/** `off`, `7070` on loopback, `127.0.0.1:7070`, `[::1]:7070`, `localhost:7070`. Port 0 stands for any free port. @throws InvalidArgumentError */
export function parseHttpOption(text: string): HttpOption {
  if (text === 'off') return text
  const [, v6, name, digits = ''] = /^(?:(?:\[([\da-fA-F:.]+)\]|([\w.-]+)):)?(\d{1,5})$/.exec(text) ?? []
  const host = v6 ?? name ?? '127.0.0.1'
  const port = Number(digits)
  if (digits === '' || port > 65_535 || (v6 !== undefined && isIP(v6) !== 6))
    throw new InvalidArgumentError('expected off, or an address such as 127.0.0.1:7070')
  return {host, port}
}
