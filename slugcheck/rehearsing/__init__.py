"""The parts of ``slugcheck rehearse``: what to start, where, with what load, and the judgement."""
