"""What an auditor found in complaints, and the corrective actions that it led to; pure."""
