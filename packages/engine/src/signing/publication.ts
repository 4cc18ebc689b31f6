/** How long whoever fetches the JWKS may keep it: what the server says in `cache-control`. */
export const JWKS_MAX_AGE_SECONDS = 300

/**
 * A key is published this long before it signs (DESIGN section 7): by then every cached JWKS that was fetched before has
 * ended, with five minutes for a clock or a cache that is slow.
 */
export const PUBLISH_AHEAD_SECONDS = JWKS_MAX_AGE_SECONDS + 300
