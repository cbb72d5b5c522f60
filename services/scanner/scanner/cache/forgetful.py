"""No cache: every question goes to the engine, with all of the content. No errors of its own."""

from scanner.ports import Answer, Ask, Question


class Forgetful:
    """A ``VerdictCache`` that remembers nothing."""

    async def answer(self, question: Question, ask: Ask) -> Answer:
        return Answer(await ask(question.content))

    async def aclose(self) -> None:
        """Nothing is open."""
