/**
 * The FIFOs of containers, kept open: what waits in a FIFO is gone when nobody has it open any more, and a program may end before the next
 * supervisor has opened it; and a reader of an input is told that the input has ended when nobody has it open for writing. Nothing is
 * read or written here.
 */
import {closeSync, constants, fstatSync, openSync, statSync} from 'node:fs'
import {join} from 'node:path'
import {bytesInPipe} from '../../linux/pipe.ts'

/** Where the FIFOs of a process are. */
export interface PipePlace {
  readonly dir: string
  /** Its exit is in the journal. */
  readonly hasEnded: boolean
  /** It was given an input, and nobody has closed that. */
  readonly takesInput: boolean
}

export interface OpenPipes {
  /** Opens the FIFOs in these places that exist and are still needed. */
  open(places: readonly PipePlace[]): void
  /** Closes FIFOs that are in none of these places or have been removed, outputs that are empty and remain so, and inputs that are to end. */
  closeOthers(places: readonly PipePlace[]): void
}

interface Pipe {
  readonly path: string
  readonly flags: number
  readonly isToBeOpened: boolean
  /** Although it is not to be opened: something waits in it. */
  readonly staysOpen: (fd: number) => boolean
}

export function createOpenPipes(): OpenPipes {
  const descriptors = new Map<string, number>()

  return {
    open: (places) => {
      for (const {path, flags, isToBeOpened} of places.flatMap(toPipes)) {
        if (!isToBeOpened) continue
        const former = descriptors.get(path)
        if (former !== undefined && isSameFile(path, former)) continue
        // Another process had the same id before.
        if (former !== undefined) close(path, former)
        const fd = openPipe(path, flags)
        if (fd !== undefined) descriptors.set(path, fd)
      }
    },
    closeOthers: (places) => {
      const pipes = new Map(places.flatMap(toPipes).map((pipe) => [pipe.path, pipe]))
      for (const [path, fd] of [...descriptors]) {
        const pipe = pipes.get(path)
        if (pipe && isSameFile(path, fd) && (pipe.isToBeOpened || pipe.staysOpen(fd))) continue
        close(path, fd)
      }
    },
  }

  function close(path: string, fd: number): void {
    closeSync(fd)
    descriptors.delete(path)
  }
}

function toPipes({dir, hasEnded, takesInput}: PipePlace): readonly Pipe[] {
  const outputs = ['stdout', 'stderr'].map((name) => ({
    path: join(dir, name),
    flags: constants.O_RDWR | constants.O_NONBLOCK,
    isToBeOpened: !hasEnded,
    staysOpen: (fd: number) => bytesInPipe(fd) > 0,
  }))
  // For writing only: a reader may close it, and then writers must be told.
  const input = {
    path: join(dir, 'stdin'),
    flags: constants.O_WRONLY | constants.O_NONBLOCK,
    isToBeOpened: takesInput && !hasEnded,
    staysOpen: () => false,
  }
  return [...outputs, input]
}

/** Undefined when it does not exist (yet), as with a terminal, or when it is an input that nobody reads. */
function openPipe(path: string, flags: number): number | undefined {
  try {
    return openSync(path, flags)
  } catch {
    return undefined
  }
}

function isSameFile(path: string, fd: number): boolean {
  return statSync(path, {throwIfNoEntry: false})?.ino === fstatSync(fd).ino
}
