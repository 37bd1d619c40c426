/** The keys that detach from a process and leave it running, written as in docker: `ctrl-p,ctrl-q`. */
import {InvalidArgumentError} from 'commander'

export const defaultDetachKeys = 'ctrl-p,ctrl-q'

/** `ctrl-` and one of these; `ctrl-@` is 0, `ctrl-a` 1 and so on (ASCII). */
const controls = '@abcdefghijklmnopqrstuvwxyz[\\]^_'

/** @returns their bytes; none for an empty text, which switches detaching off */
export function parseDetachKeys(text: string): Uint8Array {
  return Uint8Array.from(text === '' ? [] : text.split(',').map((key) => toByte(key, text)))
}

/** For commander: returns the text itself, or throws. */
export function checkDetachKeys(text: string): string {
  parseDetachKeys(text)
  return text
}

function toByte(key: string, text: string): number {
  const control = /^ctrl-(.)$/i.exec(key)?.[1]?.toLowerCase()
  const code = control === undefined ? -1 : controls.indexOf(control)
  if (code >= 0) return code
  if (/^[\x21-\x7e]$/.test(key)) return key.charCodeAt(0)
  throw new InvalidArgumentError(
    `expected keys separated by commas, each a character or ctrl- and one of a-z @ [ \\ ] ^ _, got ${JSON.stringify(key)} in ${JSON.stringify(text)}`,
  )
}

export interface DetachScanner {
  /** @returns the input to forward. Bytes that may be the beginning of the detach keys are kept until the next bytes decide. */
  feed(bytes: Uint8Array): {readonly forward: Uint8Array; readonly detached: boolean}
}

export function createDetachScanner(keys: Uint8Array): DetachScanner {
  /** How many of the keys have been pressed. */
  let matched = 0

  return {
    feed: (bytes) => {
      if (keys.length === 0) return {forward: bytes, detached: false}
      const forward: number[] = []
      for (const byte of bytes) {
        const pending = [...keys.subarray(0, matched), byte]
        // The longest suffix of the pressed keys that is a prefix of the detach keys.
        matched =
          Array.from({length: pending.length}, (_, skip) => pending.length - skip).find((length) => isBeginning(pending.slice(-length))) ??
          0
        if (matched === keys.length) return {forward: Uint8Array.from(forward), detached: true}
        forward.push(...pending.slice(0, pending.length - matched))
      }
      return {forward: Uint8Array.from(forward), detached: false}
    },
  }

  function isBeginning(pressed: readonly number[]): boolean {
    return pressed.every((byte, index) => byte === keys[index])
  }
}
