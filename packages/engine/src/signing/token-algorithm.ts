import { HEADER_ALGORITHMS, type HeaderAlgorithm } from '@claviger/verify'
import Type from 'typebox'

/** What tokens are signed with, by the name that their header carries. */
export const TokenAlgorithm = Type.Enum([...HEADER_ALGORITHMS] as HeaderAlgorithm[])
