// The admin token, kept for this tab only, and requests with it.

const KEY = "smtp-gated-token";

export const token = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  keep: (text) => sessionStorage.setItem(KEY, text),
  forget: () => sessionStorage.removeItem(KEY),
};

// Thrown for every answer that is not 2xx; `status` 0: nobody answered.
export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export async function ask(path, { method = "GET", body } = {}) {
  const headers = { Authorization: `Bearer ${token.get()}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(5000),
    });
  } catch {
    throw new Refused(0, "policy does not answer");
  }
  if (answer.status === 204) return null;
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, content.detail ?? answer.statusText);
  return content;
}

// Shows the form until `attempt` succeeds with the token that was typed in.
export function signIn(attempt) {
  const form = document.getElementById("sign-in");
  const input = document.getElementById("token");
  const error = document.getElementById("sign-in-error");
  form.hidden = false;
  input.focus();
  form.onsubmit = async (event) => {
    event.preventDefault();
    token.keep(input.value.trim());
    try {
      await attempt();
      form.hidden = true;
      input.value = error.textContent = "";
    } catch (refused) {
      token.forget();
      error.textContent = refused.status === 401 ? "That is not a token of this farm." : refused.message;
      input.select();
    }
  };
}
