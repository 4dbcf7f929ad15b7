"""The main job: real retrieval scores turned into probabilities, a threshold and a decision."""
