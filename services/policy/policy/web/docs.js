// Swagger UI over the specification, which is fetched with the token.

import { ask, signIn, token } from "/static/token.js";

async function show() {
  const spec = await ask("/api/openapi.json");
  document.getElementById("sign-in").hidden = true;
  window.SwaggerUIBundle({
    spec,
    dom_id: "#swagger",
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    tryItOutEnabled: true,
    syntaxHighlight: { activated: false },
    validatorUrl: null,
    requestInterceptor: (request) => {
      // Never to anybody else, whatever URL was typed in.
      if (new URL(request.url, location.href).origin === location.origin) {
        request.headers.Authorization = `Bearer ${token.get()}`;
      }
      return request;
    },
  });
}

if (token.get()) {
  show().catch(() => signIn(show));
} else {
  signIn(show);
}
