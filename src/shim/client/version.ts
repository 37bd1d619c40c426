/** What another image of the shim can do, before it is asked to take over: it MUST read the state of the one that is there. */
import {execFileSync} from 'node:child_process'

export interface ShimVersion {
  readonly protocol: number
  /** It reads this and all older ones; `held.state` is what the present image hands over. */
  readonly state: number
  readonly features: number
}

/** @returns undefined of what is no shim, or cannot be executed */
export function readShimVersion(image: string): ShimVersion | undefined {
  const text = runIfThere(image)
  const [, protocol, state, features] = /^tally-shim protocol (\d+) state (\d+) features ([0-9a-f]+)$/m.exec(text) ?? []
  if (protocol === undefined || state === undefined || features === undefined) return undefined
  return {protocol: Number(protocol), state: Number(state), features: Number.parseInt(features, 16)}
}

function runIfThere(image: string): string {
  try {
    return execFileSync(image, ['--version'], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 5_000})
  } catch {
    return ''
  }
}
