import {expectTypeOf, it} from 'vitest'
import type * as ledger from '../../../machines/ledger/events.ts'
import type {ProcessIdentity} from '../../../src/linux/process-table.ts'
import type {ResourceUsage} from '../../../src/linux/wait.ts'

/** src/linux MUST NOT import machines/, nor the other way round: here the compiler checks that both declare the same fields. */
it('the process types of src/linux and of the ledger are equal', () => {
  expectTypeOf<ProcessIdentity>().toEqualTypeOf<Readonly<ledger.ProcessIdentity>>()
  expectTypeOf<ResourceUsage>().toEqualTypeOf<Readonly<ledger.ResourceUsage>>()
})
