import {expectTypeOf, it} from 'vitest'
import type * as ledger from '../../../machines/ledger/events.ts'
import type {ConsoleSize} from '../../../machines/schemas/fields.ts'
import type {ProcessIdentity} from '../../../src/linux/process-table.ts'
import type {ResourceUsage} from '../../../src/linux/wait.ts'
import type {WindowSize} from '../../../src/linux/window-size.ts'

/** src/linux imports nothing of ours, and machines/ no system calls: here the compiler says that both have the same fields. */
it('what the kernel tells of a process is what the ledger has of it', () => {
  expectTypeOf<ProcessIdentity>().toEqualTypeOf<Readonly<ledger.ProcessIdentity>>()
  expectTypeOf<ResourceUsage>().toEqualTypeOf<Readonly<ledger.ResourceUsage>>()
  expectTypeOf<WindowSize>().toEqualTypeOf<Readonly<ConsoleSize>>()
})
