/** The generated client names it as browsers do; Node's own types have it under `RequestInit` alone. */
type BodyInit = NonNullable<RequestInit['body']>
