import type {ProcessExit} from '../../../../machines/ledger/process-exit.ts'

/** `exit 7`, `SIGKILL`, `lost`. */
export function formatExit(exit: ProcessExit): string {
  switch (exit.type) {
    case 'code':
      return `exit ${exit.code}`
    case 'signal':
      return exit.signal
    case 'lost':
      return 'status lost'
  }
}

export function isGoodExit(exit: ProcessExit): boolean {
  return exit.type === 'code' && exit.code === 0
}
