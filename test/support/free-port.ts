/** A port to listen on that stays free until a server takes it, though other tests look for one at the same time. */
import {randomInt} from 'node:crypto'
import {once} from 'node:events'
import {readFileSync} from 'node:fs'
import {createServer} from 'node:net'

const lowest = 10_000

/**
 * Below the ports that the kernel gives to outgoing connections, which take any of theirs at any time, and by chance, so that two callers
 * hardly ever get the same.
 */
export async function findFreePort(): Promise<number> {
  const highest = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/)[0])
  for (;;) {
    const port = randomInt(lowest, Math.max(highest, lowest + 10_000))
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
