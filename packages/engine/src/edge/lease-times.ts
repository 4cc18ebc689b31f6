/** How old the facts of a verifier in another process may be (rule L1). */
export const MAX_STALENESS_SECONDS = 5
/** The longest that a verifier may be told to answer from its caches while nobody can be asked (rule L4). */
export const MAX_ALLOW_CACHED_SECONDS = 3_600
